from pathlib import Path

import pytest

from assetflow.warehouse.connection import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    with Engine(2, None, tmp_path_factory.mktemp("spill")) as engine:
        yield engine


@pytest.fixture
def cursor(engine):
    cursor = engine.cursor()
    yield cursor
    cursor.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"
