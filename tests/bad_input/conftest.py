"""A shop that was materialized once, copied for each test; and what holds of every answer."""

import shutil

import pytest

from tests.bad_input.shop import FILES, Shop


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a shop that was materialized."""
    from assetflow import api

    root = tmp_path_factory.mktemp("made") / "shop"
    Shop(root, None).write(FILES)
    assert api.materialize(api.load(root)).status == "succeeded"
    return root


@pytest.fixture
def shop(made, tmp_path, capfd, monkeypatch):
    """A shop of the test's own, materialized before."""
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("ASSETFLOW_PROJECT", raising=False)
    root = tmp_path / "project"
    shutil.copytree(made, root, copy_function=shutil.copy2)
    return Shop(root, capfd)
