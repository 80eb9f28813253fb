"""What the names in a piece of loaded code stand for: a value, and where it has its name."""

import builtins
import functools
import importlib
import sys
import sysconfig
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CellType, ModuleType

from assetflow.project.code_names import Imported, NameRead
from assetflow.project.code_sources import Files, ParsedFile

MISSING = object()

_OF_EACH_MODULE = frozenset(
    [
        "__builtins__",
        "__doc__",
        "__file__",
        "__loader__",
        "__name__",
        "__package__",
        "__path__",
        "__spec__",
    ]
)
"""Where a module lies changes no result; these names count as what they are."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the code of one function, class or module sees, and the file it stands in."""

    namespace: Mapping[str, object]
    file: ParsedFile | None
    cells: Mapping[str, CellType] = field(default_factory=dict)
    cell_owner: str = ""

    @property
    def module(self) -> str:
        """Return the name of the module."""
        return str(self.namespace.get("__name__", ""))

    @property
    def package(self) -> str:
        """Return the package that relative imports start from."""
        package = self.namespace.get("__package__")
        return package if isinstance(package, str) else self.module.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for. `external` is its dotted name if it is not the project's own."""

    value: object
    name: str = ""
    external: str = ""
    rest: tuple[str, ...] = ()


class Ownership:
    """Tells which modules are the project's own: its packages, and other files under its root."""

    def __init__(self, packages: Collection[str], root: Path) -> None:
        self.root = root.resolve()
        self.roots = (self.root, root.absolute())
        self._packages = frozenset(packages)
        self._known: dict[str, bool] = {"assetflow": False}

    def owns(self, module: str) -> bool:
        """Whether the module named `module` is the project's own."""
        if module not in self._known:
            self._known[module] = self._decide(module)
        return self._known[module]

    def _decide(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top == "assetflow" or top in sys.builtin_module_names:
            return False
        return top in self._packages or self._is_under_root(
            getattr(sys.modules.get(module), "__file__", None)
        )

    def _is_under_root(self, path: str | None) -> bool:
        if path is None:
            return False
        resolved = Path(path).resolve()
        if not resolved.is_relative_to(self.root):
            return False
        installed = {"site-packages", "dist-packages"} & set(resolved.parts)
        return not installed and not any(map(resolved.is_relative_to, _libraries()))

    def place(self, path: str, line: int) -> str:
        """Return `path:line`, relative to the project if it lies in it."""
        full = Path(path)
        for root in self.roots:
            if full.is_relative_to(root):
                return f"{full.relative_to(root).as_posix()}:{line}"
        return f"{full.as_posix()}:{line}"


@functools.cache
def _libraries() -> tuple[Path, ...]:
    """Return where Python keeps its own modules and those that are installed."""
    paths = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    return tuple(Path(path).resolve() for path in paths)


class Resolver:
    """Finds what names stand for, and follows imports to where a name comes from."""

    def __init__(self, ownership: Ownership, files: Files) -> None:
        self._ownership = ownership
        self._files = files

    def resolve(self, scope: Scope, read: NameRead) -> Found | None:
        """Return what `read` stands for, through the project's own modules; None if unknown."""
        start = self._start(scope, read)
        return None if start is None else self._through_modules(start, read.attributes)

    def origin(self, module: str, name: str, value: object) -> Found:
        """Return where the global `name` of an own module has its value from, imports followed."""
        seen: set[tuple[str, str]] = set()
        while (module, name) not in seen:
            seen.add((module, name))
            source = self._imported_from(module, name, value)
            if source is None:
                break
            if not self._ownership.owns(source[0]):
                return Found(value, external=".".join(filter(None, source)))
            module, name = source
        return Found(value, f"{module}.{name}")

    def file_of(self, module: str) -> ParsedFile | None:
        """Return the source of a loaded module."""
        loaded = sys.modules.get(module)
        path = getattr(loaded, "__file__", None)
        return self._files.parsed(path, vars(loaded)) if loaded is not None and path else None

    def _start(self, scope: Scope, read: NameRead) -> Found | None:
        if read.imported is not None:
            return self._import(read.imported, scope.package)
        if read.name in scope.cells:
            return _cell(scope, read.name)
        value = scope.namespace.get(read.name, MISSING)
        if read.name in _OF_EACH_MODULE:
            return Found(MISSING, external=read.name)
        if value is not MISSING:
            return self.origin(scope.module, read.name, value)
        if hasattr(builtins, read.name):
            return Found(getattr(builtins, read.name), external=f"builtins.{read.name}")
        return self._enclosing_import(scope, read.name)

    def _enclosing_import(self, scope: Scope, name: str) -> Found | None:
        """Return what a decorator names that is imported by the function around it."""
        found = scope.file.inner_imports.get(name, ()) if scope.file else ()
        return self._import(found[0], scope.package) if found else None

    def _import(self, imported: Imported, package: str) -> Found | None:
        module = absolute_name(imported, package)
        if not self._ownership.owns(module):
            return Found(MISSING, external=".".join(filter(None, (module, imported.name))))
        loaded = _load(imported.loaded or module) and _load(module)
        if loaded is None:
            return None
        if not imported.name:
            return Found(loaded, module)
        value = _attribute(loaded, imported.name)
        return None if value is MISSING else self.origin(module, imported.name, value)

    def _through_modules(self, found: Found, attributes: tuple[str, ...]) -> Found | None:
        for position, attribute in enumerate(attributes):
            value = found.value
            if not isinstance(value, ModuleType) or not self._ownership.owns(value.__name__):
                return Found(value, found.name, found.external, attributes[position:])
            inner = _attribute(value, attribute)
            if inner is MISSING:
                return None
            found = self.origin(value.__name__, attribute, inner)
        return found

    def _imported_from(self, module: str, name: str, value: object) -> tuple[str, str] | None:
        """Return module and name that an import statement of `module` binds `name` to."""
        file = self.file_of(module)
        package = getattr(sys.modules.get(module), "__package__", None) or ""
        for imported in file.imports.get(name, ()) if file else ():
            source = absolute_name(imported, package)
            loaded = sys.modules.get(source)
            if loaded is not None and _is_bound(loaded, imported.name, value):
                return source, imported.name
        return None


def absolute_name(imported: Imported, package: str) -> str:
    """Return the full name of the module that is imported from inside `package`.

    >>> absolute_name(Imported("helpers", "clean", level=1), "shop.marts")
    'shop.marts.helpers'
    """
    if not imported.level:
        return imported.module
    words = package.split(".")
    base = words[: len(words) - imported.level + 1]
    return ".".join([*base, imported.module] if imported.module else base)


def _load(module: str) -> ModuleType | None:
    """Import an own module that code imports when it runs; None if it cannot be imported."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def _attribute(module: ModuleType, name: str) -> object:
    value = getattr(module, name, MISSING)
    if value is MISSING and hasattr(module, "__path__"):
        return _load(f"{module.__name__}.{name}") or MISSING
    return value


def _is_bound(module: ModuleType, name: str, value: object) -> bool:
    """Whether `value` is what importing `name` of `module` gives; a lazy name is believed."""
    return (vars(module).get(name, value) if name else module) is value


def _cell(scope: Scope, name: str) -> Found | None:
    try:
        value = scope.cells[name].cell_contents
    except ValueError:
        return None
    return Found(value, f"{scope.cell_owner}.<cell {name}>")
