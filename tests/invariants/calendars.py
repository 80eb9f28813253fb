"""Small real projects of partitioned assets, as values: written to a folder, read by partition.

A calendar is one source (rows of day, region, k, a), in one file or in many whose paths
say to which partition they belong, and assets over it, each of some scheme of partitions,
with a mapping to what it reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from assetflow import api
from assetflow.errors import AssetflowError
from assetflow.execution.serving import scan_of
from assetflow.graph.mapping import PartitionMapping, Slice, is_slice, resolve
from assetflow.metadata.outline import served
from assetflow.model.mappings import AllPartitions, DeclaredMapping, Latest, Offset, Trailing
from assetflow.model.names import PartitionKey
from assetflow.model.partitions import (
    KeySet,
    Partitions,
    daily,
    dynamic,
    keys_of,
    monthly,
    product,
    static,
    weekly,
)
from tests.project.written import write_file

FIRST = date(2026, 1, 26)
LAST = FIRST + timedelta(days=10)
REGIONS = ("north", "south")
PLACES = (*REGIONS, "east")
NOW = datetime(2026, 6, 1, tzinfo=UTC)

Row = tuple[int, int, int, int]
"""The day, counted from FIRST, the place of the region, k and a."""

Rows = tuple[tuple[object, ...], ...]
Contents = dict[str, dict[str, tuple[tuple[str, ...], Rows]]]
"""Of each asset, of each partition: the columns and the rows, in an order of their own."""

COPIES = {
    "copied": "select day, region, k, a + {n} as a from {u}",
    "ignoring": "select day, region, k, {n}::bigint as a from {u}",
    "odd": "select day, region, k, a % 2 as a from {u} where k <> {n}",
    "labelled": "select day, made_for as region, k, a from {u}",
}
SUMS = {
    "summed": "select max(day) as day, 'all' as region, {n}::bigint as k, "
    "sum(a)::bigint as a from {u}",
    "counted": "select '2026-01-01'::date as day, 'all' as region, {n}::bigint as k, "
    "count(*) as a from {u}",
}
FUNCTIONS = {
    "passed": "{u}",
    "shifted": "{u}.sort_by([(name, 'ascending') for name in {u}.column_names]).slice({n})",
    "sized": "pa.table({{'day': [None], 'region': ['all'], 'k': [{n}], 'a': [len({u})]}}, "
    "schema=pa.schema([('day', pa.date32()), ('region', pa.string()), "
    "('k', pa.int64()), ('a', pa.int64())]))",
}
TEMPLATES = (*COPIES, *SUMS, *FUNCTIONS)
OF_ALL_COLUMNS = ("passed", "shifted")

_MODULE = """
import pyarrow as pa
from assetflow import AssetContext, asset, daily, dynamic, monthly, product, static, weekly
from assetflow import AllPartitions, Latest, Offset, Trailing


@asset({options})
def {name}({input}: pa.Table, context: AssetContext) -> pa.Table:
    # {note}
{broken}    return {value}
"""


@dataclass(frozen=True, repr=False)
class Scheme:
    """A definition of partitions. Days are counted from FIRST, the last is not included."""

    kind: str = "none"
    first: int = 0
    last: int = 5
    timezone: str = "UTC"
    offset: str = "00:00"

    def __repr__(self) -> str:
        return f"{self.kind}[{self.first}:{self.last}]{self.timezone}{self.offset}"

    @property
    def is_utc(self) -> bool:
        return (self.timezone, self.offset) == ("UTC", "00:00")

    @property
    def partitions(self) -> Partitions | None:
        start, end = FIRST + timedelta(days=self.first), FIRST + timedelta(days=self.last)
        where = {"timezone": self.timezone, "offset": self.offset}
        days, regions = daily(start, end, **where), static(list(REGIONS))
        return {
            "days": days,
            "weeks": weekly("2026-W05", "2026-W07", **where),
            "months": monthly("2026-01", "2026-03", **where),
            "regions": regions,
            "named": dynamic("places"),
            "both": product(day=days, region=regions),
        }.get(self.kind)

    @property
    def code(self) -> str:
        """Return the definition as Python says it."""
        start, end = FIRST + timedelta(days=self.first), FIRST + timedelta(days=self.last)
        where = f"timezone={self.timezone!r}, offset={self.offset!r}"
        days = f'daily("{start}", "{end}", {where})'
        return {
            "days": days,
            "weeks": f'weekly("2026-W05", "2026-W07", {where})',
            "months": f'monthly("2026-01", "2026-03", {where})',
            "regions": f"static({list(REGIONS)})",
            "named": 'dynamic("places")',
            "both": f"product(day={days}, region=static({list(REGIONS)}))",
        }.get(self.kind, "None")

    @property
    def header(self) -> str:
        """Return the definition as a SQL header says it."""
        start, end = FIRST + timedelta(days=self.first), FIRST + timedelta(days=self.last)
        where = f'timezone = "{self.timezone}", offset = "{self.offset}"'
        days = f'daily = {{ start = "{start}", end = "{end}", {where} }}'
        regions = 'static = ["north", "south"]'
        found = {
            "days": f"{{ {days} }}",
            "weeks": f'{{ weekly = {{ start = "2026-W05", end = "2026-W07", {where} }} }}',
            "months": f'{{ monthly = {{ start = "2026-01", end = "2026-03", {where} }} }}',
            "regions": f"{{ {regions} }}",
            "named": '{ dynamic = "places" }',
            "both": f"{{ product = {{ day = {{ {days} }}, region = {{ {regions} }} }} }}",
        }.get(self.kind)
        return f"partitions = {found}" if found else ""

    @property
    def condition(self) -> str:
        """Return which rows of the source belong to a partition."""
        time = "day >= $partition_start::date and day < $partition_end::date"
        return {
            "days": time,
            "weeks": time,
            "months": time,
            "regions": "region = $partition_key",
            "named": "region = $partition_key",
            "both": "day::varchar || '|' || region = $partition_key",
        }.get(self.kind, "true")


MAPPINGS: dict[str, tuple[DeclaredMapping | None, str, str]] = {
    "inferred": (None, "", ""),
    "trailing": (Trailing(2), "Trailing(2)", "{ trailing = 2 }"),
    "before": (Offset(-1), "Offset(-1)", "{ offset = -1 }"),
    "latest": (Latest(), "Latest()", '"latest"'),
    "all": (AllPartitions(), "AllPartitions()", '"all"'),
    "needed": (
        AllPartitions("block"),
        'AllPartitions("block")',
        '{ all = { missing = "block" } }',
    ),
}


_DAYS, _MONTHS = daily(FIRST, LAST), monthly("2026-01", "2026-03")
_IN_DAYS = f'partitions=daily("{FIRST}", "{LAST}")'
LAYOUTS: dict[str, tuple[Partitions | None, str, str]] = {
    "whole": (None, "raw.csv", ""),
    "days": (_DAYS, "days/{day}.csv", _IN_DAYS),
    "found": (_DAYS, "found/{day}.csv", ""),
    "folders": (_MONTHS, "year=*/month=*/*.csv", 'partitions=monthly("2026-01", "2026-03")'),
    "regions": (static(list(REGIONS)), "by/{key}.csv", f"partitions=static({list(REGIONS)})"),
}
"""How the source lies there: its partitions, its path below the folder data, what it declares."""


@dataclass(frozen=True, repr=False)
class Declared:
    """One asset, of the template with this name, that reads one other or the source."""

    name: str
    template: str
    scheme: Scheme
    reads: str
    mapping: str = "inferred"
    number: int = 0
    batch: int = 1
    note: int = 0
    renamed_from: str = ""
    broken_at: str = ""
    keyed: bool = False

    def __repr__(self) -> str:
        how = f" batch={self.batch}" if self.batch > 1 else ""
        how += " keyed" if self.is_keyed else ""
        was = f" was {self.renamed_from}" if self.renamed_from else ""
        return (
            f"{self.name}:{self.scheme}={self.template}({self.reads} {self.mapping}; "
            f"{self.number}){how}{was}"
        )

    @property
    def is_python(self) -> bool:
        return self.template in FUNCTIONS

    @property
    def is_keyed(self) -> bool:
        """Whether readers see the partition key as a column."""
        return self.keyed and self.scheme.kind != "none"

    def file(self) -> tuple[str, str]:
        """Return the path of the asset's file, and what it says."""
        return self._module() if self.is_python else self._query()

    def _query(self) -> tuple[str, str]:
        text = {**COPIES, **SUMS}[self.template]
        is_base = self.reads == "raw"
        given = f"(from raw where {self.scheme.condition})" if is_base else self.reads
        query = text.format(n=self.number, u=given)
        lines = [self.scheme.header]
        said = MAPPINGS[self.mapping][2]
        lines += [f"mappings = {{ {self.reads} = {said} }}"] if said else []
        lines += [f'renamed_from = "{self.renamed_from}"'] if self.renamed_from else []
        lines += ['partition_by = "day"', f"batch_size = {self.batch}"] if self.batch > 1 else []
        lines += ['key_column = "made_for"'] if self.is_keyed else []
        header = "\n".join(filter(None, lines))
        return f"shop/{self.name}.sql", f"/* assetflow\n{header}\n*/\n-- {self.note}\n{query}\n"

    def _module(self) -> tuple[str, str]:
        said = MAPPINGS[self.mapping][1]
        options = [f"partitions={self.scheme.code}"] if self.scheme.kind != "none" else []
        options += [f"mappings={{{self.reads!r}: {said}}}"] if said else []
        options += [f"renamed_from={self.renamed_from!r}"] if self.renamed_from else []
        options += ['partition_by="day"', f"batch_size={self.batch}"] if self.batch > 1 else []
        options += ['key_column="made_for"'] if self.is_keyed else []
        broken = (
            f"    if {self.broken_at!r} in (context.partition.keys or ('',)):\n"
            "        raise ValueError('broken')\n"
            if self.broken_at
            else ""
        )
        value = FUNCTIONS[self.template].format(n=self.number, u=self.reads)
        text = _MODULE.format(
            options=", ".join(options),
            name=self.name,
            input=self.reads,
            note=self.note,
            broken=broken,
            value=value,
        )
        return f"shop/{self.name}.py", text


@dataclass(frozen=True, repr=False)
class Calendar:
    """A project: what its files say. Assets stand after what they read."""

    rows: tuple[Row, ...]
    assets: tuple[Declared, ...]
    has_event_time: bool = False
    layout: str = "whole"
    places: tuple[str, ...] = REGIONS

    def __repr__(self) -> str:
        source = f"{self.layout} {'event time ' if self.has_event_time else ''}"
        return f"{self.rows} {source}{self.places} {self.assets}"

    @property
    def is_cut(self) -> bool:
        return self.has_event_time and self.layout == "whole"

    @property
    def by_name(self) -> dict[str, Declared]:
        return {one.name: one for one in self.assets}

    def with_asset(self, place: int, **changes: object) -> "Calendar":
        assets = list(self.assets)
        assets[place] = replace(assets[place], **changes)
        return replace(self, assets=tuple(assets))

    def readers(self, name: str) -> tuple[Declared, ...]:
        return tuple(one for one in self.assets if one.reads == name)

    def plainly(self) -> "Calendar":
        """Return the calendar without what changes no content."""
        assets = (replace(one, note=0, renamed_from="", broken_at="") for one in self.assets)
        return replace(self, assets=tuple(assets))

    def keys(self, name: str) -> KeySet:
        return keys_of(self._partitions(name), NOW, {"places": self.places})

    def _partitions(self, name: str) -> Partitions | None:
        if name in self.by_name:
            return self.by_name[name].scheme.partitions
        return LAYOUTS[self.layout][0]

    def mapping(self, one: Declared) -> PartitionMapping:
        """Return how the partitions of `one` map to what it reads; raises what loading does."""
        cut = Slice("day", "UTC") if one.reads == "raw" and self.is_cut else None
        above = self._partitions(one.reads)
        return resolve(MAPPINGS[one.mapping][0], one.scheme.partitions, above, cut=cut)

    @property
    def is_sound(self) -> bool:
        """Whether each asset can be mapped to what it reads, and batched as it says."""
        try:
            found = {one.name: self.mapping(one) for one in self.assets}
        except AssetflowError:
            return False
        return all(map(self._has_its_columns, self.assets)) and all(
            one.batch == 1 or self._can_batch(one, found[one.name].text) for one in self.assets
        )

    def _has_its_columns(self, one: Declared) -> bool:
        """Whether what `one` reads has the columns that it names, and none twice."""
        if one.is_keyed and one.template in OF_ALL_COLUMNS:
            return False
        above = self.by_name.get(one.reads)
        return one.template != "labelled" or (above is not None and above.is_keyed)

    def _can_batch(self, one: Declared, mapping: str) -> bool:
        """Whether the rows of each partition, and no others, say that they are of its day."""
        if (
            one.scheme.kind != "days"
            or one.scheme.offset != "00:00"
            or one.scheme.timezone != "UTC"
        ):
            return False
        if one.template not in ("copied", "ignoring", "odd", "passed"):
            return False
        if one.reads == "raw":
            return False
        above = self.by_name[one.reads]
        is_daily = above.scheme.kind == "days" and above.template in (*COPIES, "passed")
        return is_daily and mapping == "same" and self._has_own_days(above)

    def _has_own_days(self, one: Declared) -> bool:
        """Whether a row of a partition of `one` is always of that day."""
        if one.template not in (*COPIES, "passed"):
            return False
        if one.reads == "raw":
            return (
                one.scheme.offset == "00:00" and one.scheme.timezone == "UTC" and not one.is_python
            )
        return one.mapping == "inferred" and self._has_own_days(self.by_name[one.reads])

    def files(self) -> Iterator[tuple[str, str]]:
        yield "assetflow.toml", 'package = "shop"\nthreads = 2\n'
        yield "shop/__init__.py", ""
        yield "shop/sources.py", self._source()
        for path, rows in self._raw().items():
            lines = [
                f"{FIRST + timedelta(days=day)},{REGIONS[region]},{k},{a}"
                for day, region, k, a in rows
            ]
            yield f"data/{path}", "\n".join(["day,region,k,a", *lines]) + "\n"
        yield from (one.file() for one in self.assets)

    def _source(self) -> str:
        _, path, partitions = LAYOUTS[self.layout]
        options = [f'path="data/{path}"', partitions, 'event_time="day"' if self.is_cut else ""]
        if self.layout != "whole":
            columns = dict.fromkeys(("k", "a"), "BIGINT")
            options.append(f"columns={ {'day': 'DATE', 'region': 'VARCHAR', **columns} }")
        said = ", ".join(filter(None, options))
        return f'from assetflow import daily, monthly, source, static\n\nsource("raw", {said})\n'

    def _raw(self) -> dict[str, list[Row]]:
        """Return the rows of each file of the source, by its path below the folder data."""
        found: dict[str, list[Row]] = {self._place(key): [] for key in self.keys("raw")}
        for row in self.rows:
            found[self._place(self._key(row))].append(row)
        return found

    def _place(self, key: PartitionKey) -> str:
        if self.layout == "folders":
            return f"year={key[:4]}/month={key[5:]}/rows.csv"
        return LAYOUTS[self.layout][1].format(day=key, key=key)

    def _key(self, row: Row) -> PartitionKey:
        """Return the partition of the source to which a row belongs."""
        day = str(FIRST + timedelta(days=row[0]))
        keys = {"whole": "", "folders": day[:7], "regions": REGIONS[row[1]]}
        return PartitionKey(keys.get(self.layout, day))

    def write(self, root: Path) -> None:
        """Make the files in `root` those of the calendar; one that says the same stays."""
        wanted = dict(self.files())
        for path in [*root.glob("shop/*.*"), *root.glob("data/**/*.csv")]:
            if str(path.relative_to(root)) not in wanted:
                path.unlink()
        for path, text in wanted.items():
            file = root / path
            if not file.is_file() or file.read_text("utf-8") != text.lstrip("\n"):
                write_file(root, path, text)
        if any(one.scheme.kind == "named" for one in self.assets):
            self._name_places(root)

    def _name_places(self, root: Path) -> None:
        """Let the dynamic partitions in `root` be those of the calendar."""
        project = api.load(root)
        (known,) = (one.keys for one in api.partitions(project, "places"))
        api.add_partitions(project, "places", [one for one in self.places if one not in known])
        gone = [one for one in known if one not in self.places]
        if gone:
            api.remove_partitions(project, "places", gone)

    def identities(self, contents: Contents) -> dict[tuple[str, str], object]:
        """Return for each partition all on which its content depends, given what it reads."""
        return {
            (one.name, key): self._identity(one, key, contents)
            for one in self.assets
            for key in self.keys(one.name)
        }

    def _identity(self, one: Declared, key: PartitionKey, contents: Contents) -> object:
        mapping, below = self.mapping(one), self.keys(one.name)
        window = below.window(key)
        what = (one.template, one.number, one.reads, mapping.text, window.text if window else "")
        what = (*what, one.batch > 1)  # `partition_by` is part of the code
        keys = mapping.reads(key, below, self.keys(one.reads))
        if one.reads != "raw":
            read = tuple((each, contents[one.reads].get(each)) for each in keys)
            return (*what, self.by_name[one.reads].is_keyed, read)
        rows = self.rows
        if self.layout != "whole":
            rows = tuple(row for row in rows if self._key(row) in keys)
        if is_slice(mapping) and window is not None:
            days = {below.local_start(key).date(), below.local_end(key).date()}
            first, last = min(days), max(days)
            rows = tuple(r for r in rows if first <= FIRST + timedelta(days=r[0]) <= last)
        condition = one.scheme.condition
        columns = self.layout == "whole"
        return (*what, condition, columns, tuple(sorted(rows)))


def published(root: Path, environment: str = "main") -> Contents:
    """Return what the project in `root` serves, partition by partition."""
    state = root / ".assetflow"
    project = api.load(root)
    cursor = project.engine.cursor()
    found: Contents = {}
    for name, parts in served(state, environment).items():
        for part in parts:
            asked = cursor.execute(f"from {scan_of(state / 'data', [part])}")
            columns = tuple(one[0] for one in asked.description)
            rows = tuple(sorted(asked.fetchall(), key=repr))
            found.setdefault(name, {})[part.partition] = (columns, rows)
    return found


class Scratch:
    """Calendars built from nothing, each in a folder of its own below `folder`, once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[Calendar, Contents] = {}

    def contents(self, calendar: Calendar) -> Contents:
        plain = calendar.plainly()
        if plain not in self.known:
            root = self.folder / str(len(self.known))
            plain.write(root)
            result = api.materialize(api.load(root))
            assert result.status == "succeeded", [step.error for step in result.steps if step.error]
            self.known[plain] = published(root)
        return self.known[plain]
