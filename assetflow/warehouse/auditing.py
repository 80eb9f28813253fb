"""Audits of data that is there: what checks measure, with the digests in one scan, and ask.

What cannot be computed becomes a Broken value with the reason: one check that breaks must
not take the others with it, or the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from assetflow.model.checks import Check
from assetflow.model.columns import ReadSet, Schema
from assetflow.model.names import Digest
from assetflow.quality.answers import Broken
from assetflow.quality.conditions import CONDITIONS, Size
from assetflow.quality.figures import SCAN
from assetflow.quality.measures import counting_any, measures
from assetflow.warehouse.digests import (
    GROUP_COLUMN,
    SMALL,
    Examined,
    Grouped,
    GroupKey,
    examine,
    examine_groups,
    measured_values,
)
from assetflow.warehouse.quoting import quoted_text
from assetflow.warehouse.timeouts import timeout

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")
Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """What one scan found: the rows, their digests, and the values that each check asked for."""

    rows: int
    digests: dict[ReadSet, Digest]
    measured: tuple[Values, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Some of the rows that fail a check: their columns, and their values as Python has them.

    `columns` are (name, type).
    """

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


class _TookTooLong(Exception):
    """A check did not answer in its time."""


def audit_scan(  # noqa: PLR0913 - what is scanned, and what is asked of it
    connection: DuckDBPyConnection,
    scan_sql: str,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    checks: Sequence[Check],
    *,
    float_digits: int | None = None,
    rows: int | None = None,
) -> Audited:
    """Return the digests of `read_sets` and the measures of `checks`, from one scan.

    `rows` is the number of rows of `scan_sql`, where it is known.
    """
    asked = _Asked.by(checks, schema, _size(rows))
    wanted = list(read_sets)

    def scanned(texts: Sequence[str]) -> Examined:
        return examine(connection, scan_sql, schema, wanted, float_digits, rows, measures=texts)

    found = _unless_broken(partial(scanned, _over(scan_sql, asked.first)))
    if isinstance(found, Broken):
        return asked.audited(scanned(()), _one_by_one(connection, scan_sql, asked.texts))
    known = asked.known(found.measured)
    return asked.audited(found, _completed(connection, scan_sql, asked, known))


def audit_groups(  # noqa: PLR0913 - what is scanned, and what is asked of it
    connection: DuckDBPyConnection,
    grouped: Grouped,
    schema: Schema,
    read_sets: Iterable[ReadSet],
    groups: Sequence[GroupKey],
    checks: Sequence[Check],
    *,
    float_digits: int | None = None,
) -> dict[GroupKey, Audited]:
    """Do what `audit_scan` does for each of `groups`, in one scan as far as it can be.

    What reads the table once more does so for each group by itself.
    """
    wanted, asked = list(read_sets), _Asked.by(checks, schema, "grouped")
    together = [one for one in asked.texts if SCAN not in one]

    def scanned(texts: Sequence[str]) -> dict[GroupKey, Examined]:
        return examine_groups(
            connection, grouped, schema, wanted, groups, float_digits, measures=texts
        )

    found = _unless_broken(partial(scanned, together))
    if isinstance(found, Broken):
        found, together = scanned(()), []
    return {
        key: asked.audited(one, _completed(connection, _slice(grouped, key), asked, known))
        for key, one in found.items()
        for known in (dict(zip(together, one.measured, strict=True)),)
    }


def _size(rows: int | None) -> Size:
    return "few" if rows is not None and rows <= SMALL else "many"


def _over(scan_sql: str, texts: Sequence[str]) -> list[str]:
    """Return `texts` with the table that they read once more."""
    return [text.replace(SCAN, scan_sql) for text in texts]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The measures of several checks, each text once.

    Of few rows, `first` has instead of the `counts` of rows that fail a condition one
    count of those that fail any: where it is 0, all are.
    """

    by_check: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    first: tuple[str, ...]
    counts: tuple[str, ...] = ()

    @classmethod
    def by(cls, checks: Sequence[Check], schema: Schema, size: Size) -> _Asked:
        by_check = tuple(measures(check, schema, size) for check in checks)
        texts = tuple(dict.fromkeys(text for one in by_check for text in one))
        of_rows = (
            one[0]
            for one, check in zip(by_check, checks, strict=True)
            if one and check.kind in CONDITIONS
        )
        counts = tuple(dict.fromkeys(of_rows))
        if size != "few" or len(counts) <= 1:
            return cls(by_check, texts, texts)
        rest = (text for text in texts if text not in counts)
        return cls(by_check, texts, (counting_any(counts), *rest), counts)

    def known(self, values: Sequence[object]) -> dict[str, object]:
        """Return what `values`, one for each text of `first`, tell of the texts."""
        found = dict(zip(self.first, values, strict=True))
        if self.counts and not found.pop(self.first[0]):
            found |= dict.fromkeys(self.counts, 0)
        return found

    def parted(self, values: Sequence[object]) -> tuple[Values, ...]:
        """Return of `values`, one for each text, those of each check."""
        found = dict(zip(self.texts, values, strict=True))
        return tuple(tuple(found[text] for text in one) for one in self.by_check)

    def audited(self, found: Examined, values: Sequence[object]) -> Audited:
        return Audited(found.rows, found.digests, self.parted(values))


def _slice(grouped: Grouped, key: GroupKey) -> str:
    text = str(key) if isinstance(key, int) else quoted_text(key)
    return f"(from {grouped.source} where {GROUP_COLUMN} = {text})"


def _completed(
    connection: DuckDBPyConnection,
    scan_sql: str,
    asked: _Asked,
    known: Mapping[str, object],
    seconds: float | None = None,
) -> Values:
    """Return the values of all that is `asked`, of which some are `known`."""
    missing = [text for text in asked.texts if text not in known]
    found = dict(known) | dict(
        zip(missing, _all_or_each(connection, scan_sql, missing, seconds), strict=True)
    )
    return tuple(found[text] for text in asked.texts)


def measure(
    connection: DuckDBPyConnection,
    scan_sql: str,
    schema: Schema,
    checks: Sequence[Check],
    timeout_seconds: float | None = None,
    *,
    rows: int | None = None,
) -> tuple[Values, ...]:
    """Return the values that each of `checks` asks for over the rows of `scan_sql`.

    They are from one scan, without digests; `rows` is their number, where it is known.
    What takes longer than `timeout_seconds` is Broken.
    """
    asked = _Asked.by(checks, schema, _size(rows))
    known = asked.known(_all_or_each(connection, scan_sql, asked.first, timeout_seconds))
    return asked.parted(_completed(connection, scan_sql, asked, known, timeout_seconds))


def _all_or_each(
    connection: DuckDBPyConnection, scan_sql: str, texts: Sequence[str], seconds: float | None
) -> Values:
    """Return the values of `texts`; where one breaks, each is computed by itself."""
    own = _over(scan_sql, texts)
    found = _within(connection, seconds, partial(measured_values, connection, scan_sql, own))
    if not isinstance(found, Broken):
        return found
    return (found,) if len(own) == 1 else _one_by_one(connection, scan_sql, texts, seconds)


def _one_by_one(
    connection: DuckDBPyConnection,
    scan_sql: str,
    texts: Sequence[str],
    seconds: float | None = None,
) -> Values:
    return tuple(
        value for text in texts for value in _all_or_each(connection, scan_sql, [text], seconds)
    )


def ask(
    connection: DuckDBPyConnection, queries: Sequence[str], timeout_seconds: float | None = None
) -> Values:
    """Return the one value of each of `queries`, those of `quality.queries`.

    What takes longer than `timeout_seconds`, or fails, is Broken.
    """
    return tuple(
        _within(connection, timeout_seconds, partial(_value, connection, text)) for text in queries
    )


def _value(connection: DuckDBPyConnection, query: str) -> object:
    ((value,),) = connection.execute(query).fetchall()
    return value


def find_rows(
    connection: DuckDBPyConnection, query: str, limit: int, timeout_seconds: float | None = None
) -> FoundRows:
    """Return at most `limit` rows of the query of failing rows; none if it breaks."""
    if not query or not limit:
        return FoundRows()
    rows = _within(connection, timeout_seconds, partial(_rows, connection, query, limit))
    return FoundRows() if isinstance(rows, Broken) else rows


def _rows(connection: DuckDBPyConnection, query: str, limit: int) -> FoundRows:
    result = connection.execute(f"select * from ({query}\n) limit {limit}")
    columns = tuple((name, str(type_)) for name, type_, *_ in result.description or ())
    return FoundRows(columns, tuple(result.fetchall()))


def _within(
    connection: DuckDBPyConnection, seconds: float | None, work: Callable[[], T]
) -> T | Broken:
    try:
        with timeout(connection, seconds, _TookTooLong):
            return _unless_broken(work)
    except _TookTooLong:
        return Broken(f"it took longer than {seconds:g}s")


def _unless_broken(work: Callable[[], T]) -> T | Broken:
    """Return what `work` returns; what is no fault of a check's comes through."""
    import duckdb

    try:
        return work()
    except (duckdb.InterruptException, duckdb.IOException, duckdb.FatalException):
        raise
    except duckdb.Error as error:
        return Broken(_first_line(str(error)))


def _first_line(message: str) -> str:
    """Return what DuckDB says, without the query that it shows below."""
    return message.split("\n", 1)[0].strip()
