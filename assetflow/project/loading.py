"""Load what a project declares: all of it, with all that is wrong with it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from assetflow import __version__
from assetflow.errors import (
    AssetflowError,
    DefinitionError,
    DuplicateName,
    ModuleFailed,
    ProjectErrors,
    UnknownConfigSection,
    UnknownPool,
    UnknownSourceOverride,
)
from assetflow.model.asset import Asset, PythonBody, Resource, Source
from assetflow.model.checks import CheckOf
from assetflow.model.config import Config
from assetflow.model.declare import AssetFunction, format_of
from assetflow.model.declared_inputs import Location
from assetflow.model.macros import Macro
from assetflow.model.names import folded
from assetflow.planning.stated_policies import policy_errors
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.project.configs import load_config, section_names
from assetflow.project.discovery import PackageFiles, find_package, import_modules, package_files
from assetflow.project.plain_options import form
from assetflow.project.settings import Settings, place_of
from assetflow.project.sql_files import read_check_file, read_macros, read_sql_asset

Declared = Asset | Source | Resource | Macro
D = TypeVar("D", Asset, Source, Resource, Macro)

HEADER_RULES = f"{__version__} {form()}"
"""What headers say depends on this, beside their text and where they stand."""


@dataclass(frozen=True, slots=True)
class Declarations:
    """What the modules and files of a project declare, and what of it cannot work.

    `modules` are the top-level names of the project's own code. Of declarations with one
    name only the first is here. `checks` are those that stand apart from their assets.
    """

    root: Path
    settings: Settings
    environment: str
    assets: tuple[Asset, ...]
    sources: tuple[Source, ...]
    resources: tuple[Resource, ...]
    macros: tuple[Macro, ...]
    checks: tuple[CheckOf, ...]
    modules: tuple[str, ...]
    errors: tuple[DefinitionError, ...]


def load_declarations(
    root: Path,
    settings: Settings,
    environment: str = "main",
    environ: Mapping[str, str] | None = None,
) -> Declarations:
    """Return what the project at `root` declares, for `environment`.

    What cannot work is in `errors`, together; only a package that is not there raises.
    """
    root = root.absolute()
    folder = find_package(root, settings.package)
    files = package_files(folder)
    collector, modules = import_modules(root, folder, files.modules)
    errors = list[DefinitionError](collector.errors)
    resources = frozenset(resource.name for resource in collector.resources)
    python = _python_assets(collector.functions, resources, errors)
    headers = AnalysisCache(root / settings.state / "cache" / "headers.json", HEADER_RULES)
    queries = _sql_assets(root, files, headers, errors)
    sources = _moved(collector.sources, settings, environment, errors)
    seen: dict[str, Declared] = {}
    declared = Declarations(
        root=root,
        settings=settings,
        environment=environment,
        assets=_first_of_each((*python, *queries), seen, errors),
        sources=_first_of_each(sources, seen, errors),
        resources=_first_of_each(collector.resources, seen, errors),
        macros=_first_of_each(_macros(root, files, errors), {}, errors),
        checks=(*collector.checks, *_sql_checks(root, files, errors)),
        modules=modules,
        errors=(),
    )
    headers.save()
    errors += _unknown_pools(declared)
    if not errors:
        errors += policy_errors(
            [*declared.sources, *declared.assets],
            *settings.freshness.frozen(),
            lambda kind, name: place_of(root, ("freshness", f"{kind}s", name)),
        )
    classes = tuple(dict.fromkeys(_config_classes(declared)))
    errors += _config_errors(declared, classes, environ or {})
    if not any(isinstance(error, ModuleFailed) for error in errors):
        errors += _unknown_sections(declared, classes)
    return replace(declared, errors=tuple(errors))


def _first_of_each(
    declared: Iterable[D], seen: dict[str, Declared], errors: list[DefinitionError]
) -> tuple[D, ...]:
    """Return those of `declared` whose names are new to `seen`, and add these to it."""
    kept = []
    for one in declared:
        first = seen.setdefault(folded(one.name), one)
        if first is one:
            kept.append(one)
        else:
            names = (first.name, one.name)
            errors.append(DuplicateName(names, _described(first), _described(one)))
    return tuple(kept)


def _described(declared: Declared) -> str:
    return f"{type(declared).__name__.lower()} in {declared.location}"


def _python_assets(
    functions: Iterable[AssetFunction[..., Any]],
    resources: frozenset[str],
    errors: list[DefinitionError],
) -> Iterator[Asset]:
    """Yield the assets of `functions`, with the parameters that take a resource told apart."""
    for function in functions:
        errors.extend(function.form_errors(resources))
        taken = tuple(name for name in function.signature.takers if name in resources)
        for asset in function.declarations:
            yield _with_resources(asset, taken) if taken else asset


def _with_resources(asset: Asset, taken: tuple[str, ...]) -> Asset:
    if not isinstance(asset.body, PythonBody):
        return asset
    optional = tuple(one for one in asset.body.optional if one.name not in taken)
    return replace(
        asset,
        body=replace(asset.body, resources=taken, optional=optional),
        inputs=tuple(one for one in asset.inputs if one.name not in taken),
    )


def _sql_assets(
    root: Path, files: PackageFiles, headers: AnalysisCache, errors: list[DefinitionError]
) -> Iterator[Asset]:
    for path in files.queries:
        try:
            yield read_sql_asset(path, _shown(path, root), headers)
        except (DefinitionError, ProjectErrors) as error:
            errors.extend(_each(error))


def _sql_checks(
    root: Path, files: PackageFiles, errors: list[DefinitionError]
) -> Iterator[CheckOf]:
    for path in files.checks:
        try:
            yield read_check_file(path, _shown(path, root))
        except (DefinitionError, ProjectErrors) as error:
            errors.extend(_each(error))


def _macros(root: Path, files: PackageFiles, errors: list[DefinitionError]) -> Iterator[Macro]:
    for path in files.macros:
        try:
            macros, problems = read_macros(path, _shown(path, root))
        except DefinitionError as error:
            errors.append(error)
        else:
            errors.extend(problems)
            yield from macros


def _shown(path: str, root: Path) -> str:
    return path[len(str(root)) + 1 :].replace(os.sep, "/")


def _each(error: AssetflowError) -> Iterator[DefinitionError]:
    """Yield the definition errors that `error` is or holds."""
    held = error.errors if isinstance(error, ProjectErrors) else (error,)
    yield from (one for one in held if isinstance(one, DefinitionError))


def _moved(
    sources: Iterable[Source],
    settings: Settings,
    environment: str,
    errors: list[DefinitionError],
) -> tuple[Source, ...]:
    """Return `sources` with the paths that the environment gives them."""
    paths = settings.environment(environment).sources
    known: dict[str, Source] = {source.name: source for source in sources}
    for name in paths:
        if name not in known or known[name].observe:
            others = [one for one, source in known.items() if not source.observe]
            errors.append(
                UnknownSourceOverride(name, environment, others, has_no_path=name in known)
            )
    return tuple(
        _at(source, paths[source.name]) if source.path and source.name in paths else source
        for source in sources
    )


def _at(source: Source, path: str) -> Source:
    return replace(source, path=path, format=format_of(path) or source.format)


def _unknown_pools(declared: Declarations) -> Iterator[DefinitionError]:
    """Yield an error for each place that puts assets in a pool without a limit."""
    pools, told = declared.settings.pools, set[tuple[str, Location]]()
    for asset in declared.assets:
        pool = asset.options.pool
        if pool and pool not in pools and (pool, asset.location) not in told:
            told.add((pool, asset.location))
            yield UnknownPool(pool, asset.name, pools, asset.location)


def _config_errors(
    declared: Declarations, classes: Iterable[type[Config]], environ: Mapping[str, str]
) -> Iterator[DefinitionError]:
    """Yield what is wrong with the values of `classes`; secrets are not read yet."""
    settings, environment, root = declared.settings, declared.environment, declared.root
    for kind in classes:
        try:
            load_config(kind, settings, environment, environ, root, reads_secrets=False)
        except ProjectErrors as error:
            yield from _each(error)


def _config_classes(declared: Declarations) -> Iterator[type[Config]]:
    bodies = [asset.body for asset in declared.assets if isinstance(asset.body, PythonBody)]
    configs = [body.configs for body in bodies] + [one.configs for one in declared.resources]
    for taken in configs:
        yield from (kind for kind in taken.values() if issubclass(kind, Config))


def _unknown_sections(
    declared: Declarations, classes: Iterable[type[Config]]
) -> Iterator[DefinitionError]:
    names = {name for kind in classes for name in section_names(kind)}
    settings = declared.settings
    keys: dict[str, tuple[str, ...]] = {section: ("config", section) for section in settings.config}
    own = ("environments", declared.environment, "config")
    for section in settings.environment(declared.environment).config:
        keys.setdefault(section, (*own, section))
    for section, where in keys.items():
        if section not in names:
            likely = [section_names(kind)[0] for kind in classes]
            yield UnknownConfigSection(section, likely, place_of(declared.root, where))
