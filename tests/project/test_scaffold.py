"""The project that a user starts from."""

from pathlib import Path

import pytest

from assetflow.errors import BadPackageName, FilesInTheWay
from assetflow.project.scaffold import package_name, scaffold


def test_a_scaffold_writes_settings_package_and_data(tmp_path):
    files = scaffold(tmp_path / "new" / "shop")

    assert Path("assetflow.toml") in files
    assert Path("data/orders.csv") in files
    assert {file.suffix for file in files if file.parts[0] == "shop"} == {".py", ".sql"}
    assert all((tmp_path / "new" / "shop" / file).is_file() for file in files)
    assert 'package = "shop"' in (tmp_path / "new/shop/assetflow.toml").read_text()


def test_a_scaffold_overwrites_nothing(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("mine")

    with pytest.raises(FilesInTheWay) as caught:
        scaffold(tmp_path, "shop")

    assert "data/orders.csv" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert (tmp_path / "data" / "orders.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop", "my_shop"),
        ("2026-data", "project_2026_data"),
        ("---", "project"),
        ("class", "class_project"),
        ("json", "json_project"),
        ("assetflow", "assetflow_project"),
    ],
)
def test_the_package_is_named_after_the_folder(tmp_path, folder, name):
    assert package_name(tmp_path / folder) == name


@pytest.mark.parametrize("name", ["my-shop", "2shop", "class", "json", "assetflow", "../up", "a b"])
def test_a_name_that_python_cannot_import_is_refused(tmp_path, name):
    with pytest.raises(BadPackageName):
        scaffold(tmp_path, name)

    assert list(tmp_path.iterdir()) == []
