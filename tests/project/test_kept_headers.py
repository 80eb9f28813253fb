"""Headers are parsed once: what they said is kept by their text."""

import json
import os

import pytest

from assetflow.project import sql_files
from assetflow.project.analysis_cache import AnalysisCache
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
    (known,) = json.loads(kept(root).read_text())["values"]
    assert parsed[1] in known


def test_an_edit_that_keeps_the_size_and_the_times_of_a_file_is_seen(root):
    options(root)
    path = root / "shop" / "a.sql"
    before = path.stat()

    write_file(root, "shop/a.sql", HEADER.format(2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == before.st_size
    assert options(root)["a"].version == "2"


def test_a_header_that_stands_elsewhere_is_told_from_there(root, parsed):
    check = '/* assetflow\nchecks = [ { unique = ["id"] } ]\n*/\nselect 1 as id\n'
    write_file(root, "shop/a.sql", check)
    options(root)

    (root / "shop" / "a.sql").write_text(f"\n\n{check}")
    write_file(root, "shop/c.sql", check)

    found = {name: said.checks for name, said in options(root).items()}
    assert str(found["a"][0].location) == "shop/a.sql:4"
    assert str(found["c"][0].location) == "shop/c.sql:2"


def test_a_file_of_another_name_with_a_known_header_has_its_own_name(root):
    options(root)

    (root / "shop" / "a.sql").rename(root / "shop" / "z.sql")

    assert options(root).keys() == {"b", "z"}


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


def test_what_nobody_asks_for_is_neither_read_nor_lost(tmp_path):
    first = AnalysisCache(tmp_path / "kept.json", "rules")
    first.put("a", {"x": 1})
    first.save()

    idle = AnalysisCache(tmp_path / "kept.json", "rules")
    idle.save()

    assert AnalysisCache(tmp_path / "kept.json", "rules").get("a") == {"x": 1}


def test_what_was_not_asked_for_is_forgotten_beside_what_was(tmp_path):
    first = AnalysisCache(tmp_path / "kept.json", "rules")
    first.put("a", {"x": 1})
    first.put("b", {"x": 2})
    first.save()

    second = AnalysisCache(tmp_path / "kept.json", "rules")
    assert second.get("b") == {"x": 2}
    second.save()

    assert AnalysisCache(tmp_path / "kept.json", "rules").get("a") is None
    assert AnalysisCache(tmp_path / "kept.json", "other rules").is_new
