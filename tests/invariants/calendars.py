"""Small real projects of partitioned assets, as values: written to a folder, read by partition.

A calendar is one source (rows of day, region, k, a) and assets over it, each of some
scheme of partitions, with a mapping to what it reads.
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
    keys_of,
    monthly,
    product,
    static,
    weekly,
)
from tests.project.written import write_file

FIRST = date(2026, 1, 26)
REGIONS = ("north", "south")
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

_MODULE = """
import pyarrow as pa
from assetflow import AssetContext, asset, daily, monthly, product, static, weekly
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
        match self.kind:
            case "days":
                return daily(start, end, **where)
            case "weeks":
                return weekly("2026-W05", "2026-W07", **where)
            case "months":
                return monthly("2026-01", "2026-03", **where)
            case "regions":
                return static(list(REGIONS))
            case "both":
                return product(day=daily(start, end, **where), region=static(list(REGIONS)))
        return None

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

    def __repr__(self) -> str:
        how = f" batch={self.batch}" if self.batch > 1 else ""
        was = f" was {self.renamed_from}" if self.renamed_from else ""
        return (
            f"{self.name}:{self.scheme}={self.template}({self.reads} {self.mapping}; "
            f"{self.number}){how}{was}"
        )

    @property
    def is_python(self) -> bool:
        return self.template in FUNCTIONS

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
        header = "\n".join(filter(None, lines))
        return f"shop/{self.name}.sql", f"/* assetflow\n{header}\n*/\n-- {self.note}\n{query}\n"

    def _module(self) -> tuple[str, str]:
        said = MAPPINGS[self.mapping][1]
        options = [f"partitions={self.scheme.code}"] if self.scheme.kind != "none" else []
        options += [f"mappings={{{self.reads!r}: {said}}}"] if said else []
        options += [f"renamed_from={self.renamed_from!r}"] if self.renamed_from else []
        options += ['partition_by="day"', f"batch_size={self.batch}"] if self.batch > 1 else []
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

    def __repr__(self) -> str:
        return f"{self.rows} {'event time ' if self.has_event_time else ''}{self.assets}"

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
        scheme = self.by_name[name].scheme if name in self.by_name else Scheme()
        return keys_of(scheme.partitions, NOW)

    def mapping(self, one: Declared) -> PartitionMapping:
        """Return how the partitions of `one` map to what it reads; raises what loading does."""
        above = self.by_name[one.reads].scheme.partitions if one.reads in self.by_name else None
        cut = Slice("day", "UTC") if one.reads == "raw" and self.has_event_time else None
        return resolve(MAPPINGS[one.mapping][0], one.scheme.partitions, above, cut=cut)

    @property
    def is_sound(self) -> bool:
        """Whether each asset can be mapped to what it reads, and batched as it says."""
        try:
            found = {one.name: self.mapping(one) for one in self.assets}
        except AssetflowError:
            return False
        return all(
            one.batch == 1 or self._can_batch(one, found[one.name].text) for one in self.assets
        )

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
        time = ', event_time="day"' if self.has_event_time else ""
        yield (
            "shop/sources.py",
            (f'from assetflow import source\n\nsource("raw", path="data/raw.csv"{time})\n'),
        )
        lines = [
            f"{FIRST + timedelta(days=day)},{REGIONS[region]},{k},{a}"
            for day, region, k, a in self.rows
        ]
        yield "data/raw.csv", "\n".join(["day,region,k,a", *lines]) + "\n"
        yield from (one.file() for one in self.assets)

    def write(self, root: Path) -> None:
        """Make the files in `root` those of the calendar; one that says the same stays."""
        wanted = dict(self.files())
        for path in [*root.glob("shop/*.*")]:
            if str(path.relative_to(root)) not in wanted:
                path.unlink()
        for path, text in wanted.items():
            file = root / path
            if not file.is_file() or file.read_text("utf-8") != text.lstrip("\n"):
                write_file(root, path, text)

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
        if one.reads != "raw":
            keys = mapping.reads(key, below, self.keys(one.reads))
            return (*what, tuple((each, contents[one.reads].get(each)) for each in keys))
        rows = self.rows
        if is_slice(mapping) and window is not None:
            days = {below.local_start(key).date(), below.local_end(key).date()}
            first, last = min(days), max(days)
            rows = tuple(r for r in rows if first <= FIRST + timedelta(days=r[0]) <= last)
        condition = one.scheme.condition
        return (*what, condition, tuple(sorted(rows)))


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
