"""Small records, and folded states made of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assetflow.metadata.folding import fold
from assetflow.metadata.journal import Journal
from assetflow.metadata.records import (
    PublicationChange,
    Published,
    RunFinished,
    RunStarted,
    StepFinished,
)
from assetflow.model.columns import EVERYTHING, Column, ReadSet
from assetflow.planning.history import InputRead, Materialized, VersionStored

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
AMOUNTS = ReadSet.of(["id", "amount"])


def started(run="r1", environment="main", at=NOW):
    return RunStarted(run, environment, at, "assetflow materialize", 1, "host", "me")


def finished(run="r1", status="succeeded", at=NOW):
    return RunFinished(run, status, at, (("materialized", 1),))


def stored(version="v1", asset="orders", partition="", run="r1", at=NOW):
    return VersionStored(
        version=version,
        asset=asset,
        partition=partition,
        run=run,
        created_at=at,
        path=f"{asset}/{version}.parquet",
        format="parquet",
        schema=(Column("id", "BIGINT"), Column("amount", "DECIMAL(18,3)", "with tax")),
        rows=10,
        size_bytes=1000,
        ordered=False,
        algorithm="a1",
        digests=((EVERYTHING, f"10:{version}"), (AMOUNTS, f"10:amounts:{version}")),
    )


def made(name="m1", version="v1", asset="orders", partition="", run="r1", **changes):
    read = InputRead("raw", "raw", "sql", "same", ("",), ("s1",), AMOUNTS, "10:amounts:s1")
    record = Materialized(
        materialization=name,
        run=run,
        asset=asset,
        partition=partition,
        version=version,
        key=f"key of {version}",
        code_version="c1",
        outcome="materialized",
        is_volatile=False,
        created_at=NOW,
        seconds=0.5,
        settings=(("timezone", "UTC"),),
        inputs=(read, replace(read, name="second", versions=("s1", 's"2'), partitions=("a", "b"))),
        metadata=(("accuracy", "0.9"),),
    )
    return replace(record, **changes)


def stepped(name="m1", asset="orders", partition="", run="r1"):
    reasons = (("never_materialized", "never materialized"),)
    return StepFinished(
        run, asset, partition, "materialized", reasons, NOW, 0.5, 10, name, "", "", 1
    )


def completed(number, asset="orders", partition="", run="r1", at=NOW):
    """Return the records of one completed step, with ids that end in `number`."""
    version, name = f"v{number}", f"m{number}"
    return [
        stored(version, asset, partition, run, at),
        made(name, version, asset, partition, run, created_at=at),
        stepped(name, asset, partition, run),
    ]


def change(number, asset="orders", partition="", expected=0):
    return PublicationChange(asset, partition, expected, f"v{number}", f"m{number}")


def withdrawal(expected, asset="orders", partition=""):
    return PublicationChange(asset, partition, expected, None, None)


def publication(name, *changes, environment="main", run="r1", at=NOW):
    return Published(name, run, environment, at, tuple(changes))


def journaled(state, run, *records):
    """Leave a journal with `records`, as a run that is over leaves it."""
    journal = Journal(state, run)
    for record in records:
        journal.append(record)
    journal.close()
    return journal.path


def folded(state, run, *records, at=NOW):
    journaled(state, run, *records)
    return fold(state, at)


def published_versions(pointers):
    return {str(place): pointer.version.version for place, pointer in pointers.items()}


def later(**duration):
    return NOW + timedelta(**duration)
