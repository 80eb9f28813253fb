"""Configuration that assets and resources take as a parameter, and what of it is keyed."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_core import to_json


class Secret(SecretStr):
    """A text that is never shown, kept or keyed; `reveal()` gives it."""

    def reveal(self) -> str:
        """Return the secret itself."""
        return self.get_secret_value()


class Config(BaseModel):
    """Values for assets and resources: subclass it, and annotate a parameter with the subclass.

    The rule of what reruns an asset: every value of a config that the asset itself takes
    enters its key, except fields of type Secret. Resources never enter a key, and neither
    do the configs that only resources take: another password or another address of the
    same service makes no data stale.

    Values come from the settings, `[tool.assetflow.config.api_config]` for a class
    ApiConfig; an environment's own values go before them, and the environment variable
    `ASSETFLOW_API_CONFIG__FIELD` before both. Secrets are given by reference:
    `{ env = "API_TOKEN" }` or `{ file = "path" }`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def config_key(config: Config) -> tuple[tuple[str, str], ...]:
    """Return the name and the canonical text of each value in `config` but the secrets."""
    values = config.model_dump()
    return tuple((name, _text(values[name])) for name in sorted(values) if _is_open(values[name]))


def _is_open(value: object) -> bool:
    return not isinstance(value, SecretStr)


def _text(value: object) -> str:
    return to_json(_without_secrets(value)).decode()


def _without_secrets(value: Any) -> Any:
    """Return `value` without the secrets inside, and with the members of sets in order."""
    match value:
        case Mapping():
            return {name: _without_secrets(part) for name, part in value.items() if _is_open(part)}
        case list() | tuple():
            return [_without_secrets(part) for part in value if _is_open(part)]
        case AbstractSet():
            return sorted((_without_secrets(part) for part in value if _is_open(part)), key=_text)
    return value
