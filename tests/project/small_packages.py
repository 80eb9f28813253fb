"""Small packages written to a folder, imported, closed over, and forgotten again."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType

from assetflow.project import discovery
from assetflow.project.closure import Closure, close_over

HELPERS = """
    import math

    RATE = 3
    LIMITS = {"low": 1, "high": 2}

    def clean(x):
        return scaled(x) + 1

    def scaled(x):
        return x * RATE

    def unused(x):
        return x
"""


@contextmanager
def imported(folder: Path, files: Mapping[str, str]) -> Iterator[ModuleType]:
    """Write the package `shop` into `folder`, and import `shop.marts` while the block runs."""
    package = folder / "shop"
    for name, text in {"__init__.py": "", "helpers.py": HELPERS, **files}.items():
        file = package / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    _forget()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module("shop.marts")
    finally:
        sys.path.remove(str(folder))
        _forget()


def _forget() -> None:
    """Forget the package, be it from here or from a project that a test loaded before."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "shop"]:
        del sys.modules[name]
    for finder in [each for each in sys.meta_path if type(each).__module__ == discovery.__name__]:
        sys.meta_path.remove(finder)


def close(
    folder: Path, files: Mapping[str, str], name: str = "made", ignore: tuple[str, ...] = ()
) -> Closure:
    """Return the closure of the function `name` of `shop.marts`, as `files` write it."""
    with imported(folder, files) as module:
        function = getattr(module, name)
        function = getattr(function, "function", function)
        return close_over(function, packages=["shop"], root=folder, ignore=ignore)
