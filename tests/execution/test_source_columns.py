"""The types of a source's columns: declared, or found, and found again when that changes."""

from assetflow import api
from tests.small_project import SmallProject

DECLARED = """
    from assetflow import source

    source("raw", path="data/raw.csv", columns={"id": "INTEGER"})
    """
FOUND = """
    from assetflow import source

    source("raw", path="data/raw.csv")
    """


def test_a_source_that_declares_its_columns_no_more_has_those_of_its_files(tmp_path):
    files = {"data/raw.csv": "id\n1\n", "shop/sources.py": DECLARED}
    project = SmallProject(tmp_path, {**files, "shop/copy.sql": "from raw\n"})
    project.materialize()
    project.write({"shop/sources.py": FOUND})

    assert project.outcomes() == {"copy": "materialized"}

    assert str(api.read(project.load(), "copy").schema.field("id").type) == "int64"


def test_types_that_were_found_stay_when_a_file_changes(tmp_path):
    project = SmallProject(
        tmp_path,
        {"data/raw.csv": "id\n1\n", "shop/sources.py": FOUND, "shop/copy.sql": "from raw\n"},
    )
    project.materialize()
    project.write({"data/raw.csv": "id\nnone\n"})

    (step,) = project.materialize().steps

    assert step.outcome == "failed"
    assert "none" in step.error
