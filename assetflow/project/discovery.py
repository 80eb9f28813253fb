"""Find what a project's package holds, and import its modules.

Modules are compiled from their source each time, and bytecode is neither read nor
written: an edit within the same second as the one before is never missed.
"""

import importlib
import linecache
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from assetflow.errors import ModuleFailed, NoPackage
from assetflow.model.declare import Collector, collecting

_MACROS = "macros"
_CHECKS = "checks"
_SKIPPED_FOLDERS = ("__pycache__",)
_SKIPPED_MODULES = ("__main__", "conftest")
_TEST_PREFIX = "test_"
_NEVER_OURS = frozenset((*sys.stdlib_module_names, "assetflow"))


@dataclass(slots=True)
class PackageFiles:
    """What lies in a package: dotted names of modules, paths of SQL files; each sorted."""

    modules: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    macros: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)


def find_package(root: Path, package: str) -> Path:
    """Return the folder of `package`, in `root` or in `root/src`."""
    looked = (root / package, root / "src" / package)
    for folder in looked:
        if folder.is_dir():
            return folder
    nearby = [entry.name for entry in root.iterdir() if entry.is_dir()]
    raise NoPackage(package, [path.relative_to(root).as_posix() for path in looked], nearby)


def package_files(folder: Path) -> PackageFiles:
    """Return what lies in the package at `folder`; linked folders are not followed."""
    found = PackageFiles()
    _scan(str(folder), folder.name, found, found.queries)
    for paths in (found.modules, found.queries, found.macros, found.checks):
        paths.sort()
    return found


def import_modules(
    root: Path, folder: Path, names: Sequence[str]
) -> tuple[Collector, tuple[str, ...]]:
    """Import the modules `names` of the package at `folder` anew.

    Return what they declare, in order, with an error for each module that raises, and the
    names of the top-level packages and modules that are the project's own. What modules
    print goes to standard error, since standard output may be a JSON document.
    """
    _forget(folder.name)
    finder = _ProjectFinder(folder.parent, folder.name)
    sys.meta_path[:] = [finder, *(one for one in sys.meta_path if not _is_ours(one))]
    importlib.invalidate_caches()
    with collecting(root) as collector, redirect_stdout(sys.stderr):
        errors = _import_all(names, finder, root)
    collector.errors.extend(errors)
    return collector, tuple(sorted({folder.name, *_own_names()}))


class _SourceLoader(SourceFileLoader):
    """Compiles a module from its source, and remembers how its import failed.

    A module that raised would be imported anew by the next module that needs it, and
    declare its assets twice.
    """

    failure: BaseException | None = None

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        linecache.cache.pop(path, None)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            super().exec_module(module)
        except BaseException as error:
            self.failure = error
            raise


class _ProjectFinder(MetaPathFinder):
    """Finds the project's own modules in `base`, the folder that holds the package."""

    def __init__(self, base: Path, package: str) -> None:
        self.base = str(base)
        self.package = package
        self.specs: dict[str, ModuleSpec] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - part of the protocol
    ) -> ModuleSpec | None:
        """Return how to load `fullname` if it is the project's own."""
        if fullname.partition(".")[0] in _NEVER_OURS:
            return None
        if fullname not in self.specs:
            spec = self._find(fullname, path)
            if spec is None:
                return None
            self.specs[fullname] = spec
        return self.specs[fullname]

    def culprit(self, error: BaseException, importing: str) -> str:
        """Return the module that raised `error` first, while `importing` was imported."""
        loaders = {name: spec.loader for name, spec in self.specs.items()}
        failed = [name for name, one in loaders.items() if getattr(one, "failure", None) is error]
        return failed[-1] if failed else importing

    def origin(self, name: str) -> str:
        """Return the path of the file of the module `name`, or the name itself."""
        spec = self.specs.get(name)
        return (spec.origin if spec else None) or name

    def _find(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Return the spec of a module below `base`; of folders without code, the package alone."""
        where = [self.base] if path is None else [one for one in path if self._holds(one)]
        spec = PathFinder.find_spec(fullname, where) if where else None
        if spec is None or (spec.origin is None and fullname.partition(".")[0] != self.package):
            return None
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = _SourceLoader(spec.name, spec.loader.path)
            spec.cached = None
        return spec

    def _holds(self, path: str) -> bool:
        return path.startswith(self.base + os.sep) and "site-packages" not in path


def _scan(folder: str, dotted: str, found: PackageFiles, queries: list[str]) -> None:
    """Add what lies in `folder` to `found`, SQL files to `queries`.

    `dotted` is the name of the folder, "" where it holds no modules.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                _scan_folder(entry, dotted, found, queries)
            else:
                _sort_file(entry, dotted, found, queries)


def _scan_folder(
    entry: os.DirEntry[str], dotted: str, found: PackageFiles, queries: list[str]
) -> None:
    if entry.name == _MACROS:
        paths = map(str, Path(entry.path).iterdir())
        found.macros.extend(path for path in paths if path.lower().endswith(".sql"))
    elif entry.name not in _SKIPPED_FOLDERS:
        own = found.checks if entry.name == _CHECKS else queries
        _scan(entry.path, _dotted(dotted, entry.name), found, own)


def _sort_file(
    entry: os.DirEntry[str], dotted: str, found: PackageFiles, queries: list[str]
) -> None:
    stem, _, suffix = entry.name.rpartition(".")
    if stem and suffix.lower() == "sql":
        queries.append(entry.path)
    elif suffix == "py" and stem not in _SKIPPED_MODULES:
        module = dotted if stem == "__init__" else _dotted(dotted, stem)
        found.modules += [module] if module else []


def _dotted(parent: str, name: str) -> str:
    """Return the name of a module or folder in `parent`, "" where none can be imported."""
    can_be_imported = parent and name.isidentifier() and not name.startswith(_TEST_PREFIX)
    return f"{parent}.{name}" if can_be_imported else ""


def _is_ours(finder: object) -> bool:
    return isinstance(finder, _ProjectFinder)


def _forget(package: str) -> None:
    """Forget the modules of `package` and of projects loaded before."""
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] == package or isinstance(_loader_of(module), _SourceLoader):
            del sys.modules[name]


def _loader_of(module: ModuleType | None) -> object:
    return getattr(getattr(module, "__spec__", None), "loader", None)


def _import_all(names: Sequence[str], finder: _ProjectFinder, root: Path) -> list[ModuleFailed]:
    """Import `names`; a failure that stops several of them is told once."""
    failures: dict[str, BaseException] = {}
    errors = []
    for name in names:
        if any(name.startswith(f"{failed}.") for failed in failures):
            continue
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
            if not any(error is other for other in failures.values()):
                culprit = finder.culprit(error, name)
                places = [*_places(error, root)] or [_shown(finder.origin(culprit), root)]
                errors.append(_module_failed(culprit, error, places))
            failures[name] = error
    return errors


def _module_failed(name: str, error: BaseException, places: Sequence[str]) -> ModuleFailed:
    missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    top = missing.partition(".")[0]
    is_own = top in _own_names() or top == name.partition(".")[0]
    return ModuleFailed(name, _problem(error), places, "" if is_own else top)


def _problem(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    first = said.strip().splitlines()[:1]
    return ": ".join([type(error).__qualname__, *first])


def _places(error: BaseException, root: Path) -> Iterator[str]:
    """Yield where in the project's own files `error` passed, innermost last."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _is_in(frame.f_code.co_filename, root):
            yield f"{_shown(frame.f_code.co_filename, root)}:{line}"
    if isinstance(error, SyntaxError) and error.filename and _is_in(error.filename, root):
        yield f"{_shown(error.filename, root)}:{error.lineno or 1}"


def _is_in(filename: str, root: Path) -> bool:
    return filename.startswith(f"{root}{os.sep}") and "site-packages" not in filename


def _shown(filename: str, root: Path) -> str:
    """Return `filename` relative to the project, if it lies in it."""
    return Path(filename).relative_to(root).as_posix() if _is_in(filename, root) else filename


def _own_names() -> set[str]:
    """Return the top-level names of the project's modules that have been imported."""
    return {
        name.partition(".")[0]
        for name, module in [*sys.modules.items()]
        if isinstance(_loader_of(module), _SourceLoader)
    }
