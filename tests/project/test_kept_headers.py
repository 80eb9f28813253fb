"""Headers are parsed once: what they said is kept by their text."""

import json

import pytest

from assetflow.project import sql_files
from tests.project.written import load, write, write_file

SETTINGS = 'package = "shop"\n'
HEADER = '/* assetflow\ntags = ["daily"]\nversion = "{}"\n*/\nselect 1 as id\n'


@pytest.fixture
def root(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS, shop__a_sql=HEADER.format(1), shop__b_sql="select 1")
    (tmp_path / ".assetflow").mkdir()
    return tmp_path


def options(root):
    declared = load(root)
    assert not declared.errors
    return {asset.name: asset.options for asset in declared.assets}


def kept(root):
    return root / ".assetflow" / "cache" / "headers.json"


@pytest.fixture
def parsed(monkeypatch):
    """Collect the headers that are parsed."""
    texts = []

    def parse(text, *arguments):
        texts.append(text)
        return real(text, *arguments)

    real = sql_files.parse_toml
    monkeypatch.setattr(sql_files, "parse_toml", parse)
    return texts


def test_a_header_that_is_known_is_not_parsed_again(root, parsed):
    first = options(root)

    assert options(root) == first
    assert first["a"].tags == ("daily",)
    assert len(parsed) == 1


def test_an_edited_header_is_parsed_and_the_old_one_forgotten(root, parsed):
    options(root)

    write_file(root, "shop/a.sql", HEADER.format(2))

    assert options(root)["a"].version == "2"
    assert len(parsed) == 2
    assert [json.loads(kept(root).read_text())["values"][text] for text in parsed[1:]] == [
        {"tags": ["daily"], "version": "2"}
    ]


def test_a_header_with_a_date_is_parsed_each_time(root, parsed):
    partitions = "partitions = { daily = { start = 2026-01-01 } }\n"
    write_file(root, "shop/a.sql", f"/* assetflow\n{partitions}*/\nselect 1\n")

    assert options(root)["a"].partitions == options(root)["a"].partitions is not None
    assert len(parsed) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 3}'])
def test_what_was_kept_and_cannot_be_read_does_no_harm(root, content):
    first = options(root)
    kept(root).write_text(content)

    assert options(root) == first


def test_what_is_wrong_with_a_known_header_is_told_with_its_line(root):
    write_file(root, "shop/a.sql", '/* assetflow\ntags = ["a"]\nownres = ["x"]\n*/\nselect 1\n')

    told = [[str(error) for error in load(root).errors] for _ in range(2)]

    assert told[0] == told[1]
    assert "shop/a.sql:3" in told[0][0]


def test_a_project_without_a_state_folder_keeps_nothing(tmp_path):
    write(tmp_path, assetflow_toml=SETTINGS, shop__a_sql=HEADER.format(1))

    options(tmp_path)

    assert not (tmp_path / ".assetflow").exists()
