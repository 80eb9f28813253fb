"""Many small files of a source are digested in one scan, to what each has by itself."""

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from assetflow.execution.source_states import SourceState, digest_together, scan_of_files
from assetflow.model.asset import Source
from assetflow.model.columns import Column, ReadSet
from assetflow.model.declared_inputs import Location
from assetflow.model.file_states import FileState
from assetflow.model.names import AssetName, PartitionKey, VersionId
from assetflow.warehouse.connection import Engine

SCHEMA = (Column("id", "BIGINT"), Column("place", "VARCHAR"))
WANTED = [ReadSet(("id",)), ReadSet.of(["place", "id"]), ReadSet(None, ordered=True), ReadSet(())]
ROWS = {
    "2026-01-05": [(1, "home"), (2, "away"), (1, "home")],
    "2026-01-06": [(2, "away"), (1, "home"), (1, "home")],
    "2026-01-07": [],
    "2026-01-08": [(4, "it's, here"), (3, None)],
}


@pytest.fixture
def engine(tmp_path):
    with Engine(2, None, tmp_path / "spill") as engine:
        yield engine


def _write(path: Path, rows, columns=("id", "place")) -> None:
    if path.suffix == ".parquet":
        _write_parquet(path, rows, columns)
        return
    if path.suffix == ".json":
        lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
    else:
        lines = [
            ",".join(columns),
            *(f'{key},"{text}"' if text else f"{key}," for key, text in rows),
        ]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _write_parquet(path: Path, rows, columns, types=("bigint", "varchar")) -> None:
    names = ", ".join(f"{name} {type_}" for name, type_ in zip(columns, types, strict=True))
    with duckdb.connect() as connection:
        connection.execute(f"create table written ({names})")
        if rows:
            connection.executemany("insert into written values (?, ?)", rows)
        connection.execute(f"copy written to '{path}' (format parquet)")


def _state(root: Path, kind: str, key: str, schema=SCHEMA) -> SourceState:
    """Return a partition whose rows lie in two files."""
    source = Source(AssetName("raw"), Location("sources.py", 1), "{day}.csv", kind)
    rows, names = ROWS[key], tuple(column.name for column in schema)
    paths = [root / f"{key}-{part}.{kind}" for part in "ab"]
    for path, some in zip(paths, (rows[:1], rows[1:]), strict=True):
        _write(path, some, names)
    files = tuple(FileState(path.name, path.stat().st_size, 0, 0, 0, "") for path in paths)
    scan = scan_of_files(source, paths, schema)
    state = SourceState(source, VersionId(key), schema, scan, root, files)
    return replace(state, partition=PartitionKey(key))


def _states(root: Path, kind: str, schema=SCHEMA) -> list[SourceState]:
    return [_state(root, kind, key, schema) for key in ROWS]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_each_partition_has_the_digests_that_it_has_alone(tmp_path, engine, kind):
    together, alone = _states(tmp_path, kind), _states(tmp_path, kind)

    digest_together(together, WANTED, engine)

    assert all(set(one.digests) == set(WANTED) for one in together)
    for one, other in zip(together, alone, strict=True):
        assert one.digests == {each: other.digest(each, (), engine) for each in WANTED}


def test_partitions_with_more_rows_and_fewer_have_the_digests_that_they_have_alone(
    tmp_path, engine
):
    together = _states(tmp_path, "parquet")
    many = [(number % 7, f"place {number}") for number in range(1_500)]
    _write_parquet(tmp_path / "2026-01-06-b.parquet", many, ("id", "place"))
    alone = [replace(one, digests={}) for one in together]

    digest_together(together, WANTED, engine)

    for one, other in zip(together, alone, strict=True):
        assert one.digests == {each: other.digest(each, (), engine) for each in WANTED}


def test_files_whose_types_may_differ_are_read_by_themselves(tmp_path, engine):
    states = _states(tmp_path, "parquet")
    declared = (Column("id", "DOUBLE"), Column("place", "VARCHAR"))
    source = replace(states[0].source, columns=declared)
    _write_parquet(
        tmp_path / "2026-01-06-b.parquet", [(1.6, "a")], ("id", "place"), ("double", "varchar")
    )
    states = [replace(one, source=source, schema=declared) for one in states]

    digest_together(states, WANTED, engine)

    assert not any(one.digests for one in states)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_may_be_called_as_the_files_are_told_apart(tmp_path, engine, kind):
    states = _states(tmp_path, kind, (Column("id", "BIGINT"), Column("FileName", "VARCHAR")))

    digest_together(states, [ReadSet(("id",))], engine)

    assert not any(one.digests for one in states)


def test_what_cannot_be_read_is_left_to_each(tmp_path, engine):
    states = _states(tmp_path, "csv")
    (tmp_path / "2026-01-06-b.csv").write_text("id,place\nmany,home\n", "utf-8")

    digest_together(states, WANTED, engine)

    assert not any(one.digests for one in states)


def test_large_partitions_are_read_by_themselves(tmp_path, engine, monkeypatch):
    monkeypatch.setattr("assetflow.execution.source_states.TOGETHER_BYTES", 90)
    states = _states(tmp_path, "csv")

    digest_together(states, WANTED, engine)

    assert [bool(one.digests) for one in states] == [True, True, False, False]
