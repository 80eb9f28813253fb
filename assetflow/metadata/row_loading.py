"""How lines of a journal become rows of the store: DuckDB reads them, with explicit columns.

What is there already is left alone, so that loading a line twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetflow.metadata.encoding import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

BATCH_LINES = 20_000
_READ_SET = '{"columns":["VARCHAR"],"ordered":"BOOLEAN"}'


@dataclass(frozen=True, slots=True)
class Load:
    """How the records of one kind are read and where they go.

    `columns` is the structure of a line. The records whose `keys` are not in `table`
    yet are the rows of `incoming`, each once, with their `ordinal`. `parts` selects
    from it what has a read-set each (as `columns` and `ordered`): the rows of
    `incoming_parts`, with the number of the `read_set`. `inserts` take from the two.
    """

    columns: str
    table: str
    keys: tuple[str, ...]
    inserts: tuple[str, ...]
    parts: str = ""


_STEPS = Load(
    """{"run":"VARCHAR","asset":"VARCHAR","partition":"VARCHAR","outcome":"VARCHAR",
        "reasons":"JSON","started_at":"TIMESTAMP","seconds":"DOUBLE","rows":"BIGINT",
        "materialization":"VARCHAR","error":"VARCHAR","output":"VARCHAR","attempts":"INTEGER"}""",
    "steps",
    ("run", "asset", "partition", "outcome", "started_at"),
    ("insert into steps select * exclude ordinal from incoming order by ordinal",),
)

_DEFINITIONS = Load(
    """{"asset":"VARCHAR","code_version":"VARCHAR","kind":"VARCHAR","source":"VARCHAR",
        "parts":"JSON","canonicalizer":"VARCHAR","path":"VARCHAR","seen_at":"TIMESTAMP"}""",
    "asset_definitions",
    ("asset", "code_version"),
    ("insert into asset_definitions select * exclude ordinal from incoming order by ordinal",),
)

_LINEAGE = Load(
    """{"asset":"VARCHAR","code_version":"VARCHAR","upstreams":[["VARCHAR"]],
        "read_sets":["JSON"],"column_edges":[["VARCHAR"]]}""",
    "asset_edges",
    ("asset", "code_version"),
    (
        """insert into asset_edges
           select e.asset, e.code_version, e.position, e.edge[1], e.edge[2], p.read_set
           from (select asset, code_version, ordinal, unnest(upstreams) as edge,
                        generate_subscripts(upstreams, 1) as position from incoming) as e
           left join incoming_parts as p on p.ordinal = e.ordinal and p.input = e.edge[1]
           order by e.ordinal, e.position""",
        """insert into column_edges
           select asset, code_version, position, edge[1], edge[2], edge[3], edge[4]
           from (select asset, code_version, ordinal, unnest(column_edges) as edge,
                        generate_subscripts(column_edges, 1) as position from incoming)
           order by ordinal, position""",
    ),
    f"""select ordinal, part->>0 as input, unnest(from_json(part->1, '{_READ_SET}'))
        from (select ordinal, unnest(read_sets) as part from incoming)""",
)

_VERSIONS = Load(
    """{"version":"VARCHAR","asset":"VARCHAR","partition":"VARCHAR","run":"VARCHAR",
        "created_at":"TIMESTAMP","path":"VARCHAR","format":"VARCHAR","schema":"JSON",
        "rows":"BIGINT","size_bytes":"BIGINT","ordered":"BOOLEAN","algorithm":"VARCHAR",
        "digests":["JSON"],"packed":"BOOLEAN"}""",
    "versions",
    ("version",),
    (
        """insert into versions
           select * exclude (digests, ordinal),
                  (select coalesce(max(number), 0) from versions) + ordinal
           from incoming order by ordinal""",
        """insert into digests
           select version, read_set, algorithm, digest from incoming_parts
           anti join digests using (version, read_set, algorithm)
           order by ordinal, position""",
    ),
    f"""select ordinal, position, version, algorithm, part->>1 as digest,
               unnest(from_json(part->0, '{_READ_SET}'))
        from (select ordinal, version, algorithm, unnest(digests) as part,
                     generate_subscripts(digests, 1) as position from incoming)""",
)

_DIGESTS = Load(
    f"""{{"version":"VARCHAR","read_set":{_READ_SET},"algorithm":"VARCHAR",
          "digest":"VARCHAR"}}""",
    "",
    (),
    (
        """insert into digests
           select version, read_set, algorithm, any_value(digest) from incoming_parts
           anti join digests using (version, read_set, algorithm)
           group by version, read_set, algorithm order by min(ordinal)""",
    ),
    "select ordinal, version, algorithm, digest, unnest(read_set) from incoming",
)

_SLICES = Load(
    f"""{{"version":"VARCHAR","cut":"VARCHAR","read_set":{_READ_SET},"algorithm":"VARCHAR",
          "digests":"JSON"}}""",
    "",
    (),
    (
        """insert into slice_digests
           select distinct version, cut, read_set, algorithm, digests from incoming_parts
           anti join slice_digests using (version, cut, read_set, algorithm, digests)""",
    ),
    """select ordinal, version, cut, algorithm, digests::varchar as digests, unnest(read_set)
       from incoming""",
)

_EVENT_TIMES = Load(
    """{"version":"VARCHAR","timed_by":"VARCHAR","newest":"TIMESTAMP"}""",
    "event_times",
    ("version", "timed_by"),
    ("insert into event_times select * exclude ordinal from incoming order by ordinal",),
)

_MATERIALIZATIONS = Load(
    f"""{{"materialization":"VARCHAR","run":"VARCHAR","asset":"VARCHAR","partition":"VARCHAR",
          "version":"VARCHAR","key":"VARCHAR","code_version":"VARCHAR","outcome":"VARCHAR",
          "is_volatile":"BOOLEAN","created_at":"TIMESTAMP","seconds":"DOUBLE",
          "settings":"JSON","inputs":[{{"name":"VARCHAR","upstream":"VARCHAR","form":"VARCHAR",
          "mapping":"VARCHAR","partitions":"JSON","versions":"JSON","read_set":{_READ_SET},
          "digest":"VARCHAR"}}],"metadata":"JSON","window":"VARCHAR"}}""",
    "materializations",
    ("materialization",),
    (
        """insert into materialization_inputs
           select (select coalesce(max(number), 0) from materializations) + ordinal,
                  name, upstream, form, mapping, partitions, versions, read_set, digest
           from incoming_parts order by ordinal, position""",
        """insert into materializations
           select (select coalesce(max(number), 0) from materializations) + ordinal,
                  * exclude (inputs, ordinal), len(inputs) from incoming order by ordinal""",
    ),
    """select ordinal, position, part.* exclude read_set, unnest(part.read_set)
       from (select ordinal, unnest(inputs) as part,
                    generate_subscripts(inputs, 1) as position from incoming)""",
)

_OBSERVATIONS = Load(
    """{"source":"VARCHAR","state":"VARCHAR","run":"VARCHAR","observed_at":"TIMESTAMP",
        "schema":"JSON","rows":"BIGINT","files":"JSON","answer":"VARCHAR",
        "algorithm":"VARCHAR","digests":"JSON","partition":"VARCHAR"}""",
    "observations",
    ("source", "partition", "state", "observed_at"),
    (
        """insert into observations
           select (select coalesce(max(number), 0) from observations) + ordinal,
                  * exclude ordinal from incoming order by ordinal""",
    ),
)

_AUDITS = Load(
    """{"run":"VARCHAR","asset":"VARCHAR","partition":"VARCHAR","version":"VARCHAR",
        "checks":"VARCHAR","terms":"JSON","seen":"VARCHAR","verdict":"VARCHAR",
        "failed":"JSON","audited_at":"TIMESTAMP","results":[{"term":["VARCHAR"],
        "outcome":{"check":"VARCHAR","kind":"VARCHAR","answer":{"status":"VARCHAR",
        "observed":"VARCHAR","bound":"VARCHAR","failures":"BIGINT","rows":"BIGINT",
        "metric":"DOUBLE","sql":"VARCHAR","message":"VARCHAR"},"columns":"JSON",
        "severity":"VARCHAR","on_failure":"VARCHAR","carried_over":"BOOLEAN",
        "quarantined":"BIGINT"},"digest":"VARCHAR","seconds":"DOUBLE"}]}""",
    "audits",
    ("version", "run", "audited_at"),
    (
        """insert into check_results
           select run, asset, partition, version, audited_at, result.term[1], result.term[2],
                  result.term[3], result.digest, o.kind, o.columns, o.severity, o.on_failure,
                  o.answer.status, o.answer.observed, o.answer.bound, o.answer.failures,
                  o.answer.rows, o.answer.metric, o.answer.sql, o.answer.message,
                  o.carried_over, o.quarantined, result.seconds
           from (select *, result.outcome as o
                 from (select * exclude results, unnest(results) as result,
                              generate_subscripts(results, 1) as position from incoming))
           order by ordinal, position""",
        """insert into audits
           select i.* exclude (ordinal, results), v.number
           from incoming as i left join versions as v using (version) order by ordinal""",
    ),
)

_FAILING_ROWS = Load(
    """{"run":"VARCHAR","asset":"VARCHAR","partition":"VARCHAR","version":"VARCHAR",
        "check_name":"VARCHAR","audited_at":"TIMESTAMP","columns":"JSON","rows":"JSON","place":"VARCHAR"}""",
    "failing_rows",
    ("version", "run", "audited_at", "check_name"),
    ("insert into failing_rows select * exclude ordinal from incoming order by ordinal",),
)

_REPAIRS = Load(
    """{"happening":"VARCHAR","run":"VARCHAR","environment":"VARCHAR","asset":"VARCHAR",
        "partition":"VARCHAR","check_name":"VARCHAR","happened_at":"TIMESTAMP",
        "kind":"VARCHAR","note":"VARCHAR","user":"VARCHAR"}""",
    "repairs",
    ("happening",),
    ("insert into repairs select * exclude ordinal from incoming order by ordinal",),
)

# The fields that a kind of record gained. Who wrote a line before it had them meant the default.
GAINED = {
    "VersionStored": b'"packed":',
    "Materialized": b'"window":',
    "Observed": b'"partition":',
}

LOADS = {
    "StepFinished": _STEPS,
    "DefinitionSeen": _DEFINITIONS,
    "LineageSeen": _LINEAGE,
    "VersionStored": _VERSIONS,
    "DigestAdded": _DIGESTS,
    "SlicesDigested": _SLICES,
    "EventTimeFound": _EVENT_TIMES,
    "Materialized": _MATERIALIZATIONS,
    "Audited": _AUDITS,
    "FailingRowsKept": _FAILING_ROWS,
    "Observed": _OBSERVATIONS,
    "RepairHappened": _REPAIRS,
}


def load(connection: DuckDBPyConnection, kind: str, lines: Sequence[bytes]) -> None:
    """Add the rows for `lines`, all of `kind`, in the transaction of the `connection`.

    Raises an error of DuckDB's if one of them is no record of that kind.
    """
    for start in range(0, len(lines), BATCH_LINES):
        batch = [_completed(line, kind) for line in lines[start : start + BATCH_LINES]]
        _load_batch(connection, LOADS[kind], batch)


def _completed(line: bytes, kind: str) -> bytes:
    """Return `line` with all fields of its kind; an older version may have written it."""
    if GAINED.get(kind, b"") in line:
        return line
    return encode(decode(line)).rstrip(b"\n")


def _load_batch(connection: DuckDBPyConnection, load: Load, lines: Sequence[bytes]) -> None:
    # A list of lines is read several times as fast as one long array of records.
    connection.execute(
        f"""create or replace temp table incoming as
            from (select unnest(from_json_strict(line, '{load.columns}')), ordinal
                  from (select unnest($1) as line, unnest(range(1, len($1) + 1)) as ordinal))
            {_only_new(load)}""",
        [[line.decode() for line in lines]],
    )
    if load.parts:
        _number_read_sets(connection, load.parts)
    for statement in load.inserts:
        connection.execute(statement)


def _only_new(load: Load) -> str:
    if not load.keys:
        return ""
    keys = ", ".join(load.keys)
    return f"""anti join {load.table} using ({keys})
               qualify row_number() over (partition by {keys} order by ordinal) = 1"""


def _number_read_sets(connection: DuckDBPyConnection, parts: str) -> None:
    """Make `incoming_parts`, in which each read-set has its number, old or new."""
    connection.execute(f"create or replace temp table unnumbered_parts as {parts}")
    connection.execute(
        """insert into read_sets
           select (select coalesce(max(read_set), 0) from read_sets)
                  + row_number() over (order by ordered, columns), columns, ordered
           from (select distinct columns, ordered from unnumbered_parts) as parts
           where not exists (select 1 from read_sets as known where known.ordered = parts.ordered
                             and known.columns is not distinct from parts.columns)"""
    )
    connection.execute(
        """create or replace temp table incoming_parts as
           select parts.* exclude (columns, ordered), known.read_set
           from unnumbered_parts as parts join read_sets as known
           on known.ordered = parts.ordered and known.columns is not distinct from parts.columns"""
    )
