"""The values of a config: from the settings, an environment's own, and the process's variables."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr

from assetflow.errors import (
    DefinitionError,
    ProjectErrors,
    SecretNotFound,
    SecretWrittenOut,
    TwoConfigSections,
)
from assetflow.model.config import Config, Secret
from assetflow.model.validation import validate
from assetflow.project.settings import Settings

C = TypeVar("C", bound=Config)

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLACE = "the settings"


@dataclass(slots=True)
class _Secrets:
    """Where secrets are read from, and what was wrong with them."""

    of: str
    root: Path
    environ: Mapping[str, str]
    are_read: bool
    errors: list[DefinitionError] = field(default_factory=list)


def section_names(cls: type[Config]) -> tuple[str, str]:
    """Return the names under which the settings may hold the values of `cls`.

    >>> section_names(type("HTTPConfig", (Config,), {}))
    ('http_config', 'HTTPConfig')
    """
    return _WORD_START.sub("_", cls.__name__).lower(), cls.__name__


def load_config(
    cls: type[C],
    settings: Settings,
    environment: str,
    environ: Mapping[str, str],
    root: Path,
    *,
    reads_secrets: bool = True,
) -> C:
    """Return the `cls` of `environment`; ProjectErrors holds all that is wrong with it.

    Variables of the process go before the environment's values, these before those of the
    project. Without `reads_secrets` every secret is empty, which is enough for a key.
    """
    secrets = _Secrets(f"config {cls.__name__!r}", root, environ, reads_secrets)
    written = _section(cls, settings.config) | _section(
        cls, settings.environment(environment).config
    )
    values = _resolved(cls, written, secrets)
    variables = _process_variables(cls, environ)
    values |= {name: _parsed(cls, name, environ[variable]) for name, variable in variables.items()}
    if not reads_secrets:
        values |= {name: Secret("") for name in cls.model_fields if _is_secret(cls, name)}
    places = {name: f"the environment variable {one}" for name, one in variables.items()}
    found, problems = validate(
        cls, values, secrets.of, lambda keys: places.get("".join(keys[:1]), _PLACE)
    )
    if found is None or secrets.errors:
        raise ProjectErrors((*secrets.errors, *problems))
    return found


def _section(cls: type[Config], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values for `cls` in `tables`."""
    names = [name for name in dict.fromkeys(section_names(cls)) if name in tables]
    if len(names) > 1:
        raise ProjectErrors([TwoConfigSections(names, _PLACE)])
    return dict(tables[names[0]]) if names else {}


def _process_variables(cls: type[Config], environ: Mapping[str, str]) -> dict[str, str]:
    """Return for each field the process's variable that gives its value."""
    prefix = f"ASSETFLOW_{section_names(cls)[0].upper()}__"
    spelled = {name.upper(): name for name in cls.model_fields}
    ends = {name: name.removeprefix(prefix) for name in environ if name.startswith(prefix)}
    return {spelled.get(end.upper(), end.lower()): name for name, end in ends.items()}


def _parsed(cls: type[Config], name: str, text: str) -> object:
    """Return what the variable's `text` says: JSON for lists and tables, else itself."""
    if _is_secret(cls, name):
        return Secret(text)
    if name not in cls.model_fields or cls.model_fields[name].annotation is str:
        return text
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _resolved(cls: type[BaseModel], values: Mapping[str, Any], secrets: _Secrets) -> dict[str, Any]:
    """Return `values` with secrets in the place of the references to them."""
    resolved = dict(values)
    for name in cls.model_fields.keys() & values.keys():
        if _is_secret(cls, name):
            resolved[name] = _secret(name, values[name], secrets)
        elif isinstance(values[name], Mapping) and (inner := _model_in(cls, name)):
            resolved[name] = _resolved(inner, values[name], secrets)
    return resolved


def _secret(name: str, given: object, secrets: _Secrets) -> Secret:
    """Return the secret that `given` refers to; what is wrong goes to `secrets`."""
    match given:
        case {"env": str(variable), **other} if not other:
            text, looked_in = secrets.environ.get(variable), f"the environment variable {variable}"
        case {"file": str(path), **other} if not other:
            text, looked_in = _file_text(secrets.root / path), f"the file {path}"
        case _:
            secrets.errors.append(SecretWrittenOut(name, secrets.of, _PLACE))
            return Secret("")
    if text is None and secrets.are_read:
        secrets.errors.append(SecretNotFound(name, secrets.of, looked_in))
    return Secret(text or "")


def _file_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None


def _is_secret(cls: type[BaseModel], name: str) -> bool:
    found = cls.model_fields.get(name)
    return found is not None and any(issubclass(kind, SecretStr) for kind in _kinds(found))


def _model_in(cls: type[BaseModel], name: str) -> type[BaseModel] | None:
    kinds = _kinds(cls.model_fields[name])
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)


def _kinds(found: Any) -> list[type]:
    """Return the classes that the annotation of a field allows, `None` aside."""
    annotation = found.annotation
    return [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
