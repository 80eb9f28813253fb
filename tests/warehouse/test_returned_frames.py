"""Frames are told apart by libraries that other threads may be importing just then."""

import sys
from types import ModuleType

from assetflow.warehouse import returned


def test_a_frame_is_known_while_another_library_is_half_imported(monkeypatch):
    import polars as pl

    monkeypatch.setitem(sys.modules, "pandas", ModuleType("pandas"))

    assert returned._from_frame(pl.DataFrame({"a": [1, 2]}), None).to_pydict() == {"a": [1, 2]}
