# ruff: noqa: E501 - a query stands on one line
"""Small real projects as values: written to a folder, edited, and known well enough to judge.

A shop is sources (rows of k, a, b, c) and assets, each an instance of a template. What a
template reads of its inputs is stated beside its text; so it can be said, without asking
the code under test, from what an asset is made, and whether it had a reason to run.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from assetflow import api
from assetflow.errors import NothingAsOf
from tests.project.written import write_file

COLUMNS = ("k", "a", "b", "c")
EVERYTHING = ("*",)
IN_ORDER = ("*", "in order")

Row = tuple[int, int, int, int]


@dataclass(frozen=True, repr=False)
class Template:
    """One way to make an asset with columns k, a, b from inputs u and v, and a number n.

    `reads` are the columns of each input on which the result depends; () is their number
    of rows. `is_python`, else SQL. `uses` are the fields of the shop that are in it. `over`
    says what u must be: "", "source" or "ranked".
    """

    name: str
    text: str
    reads: tuple[tuple[str, ...], ...] = ()
    is_python: bool = False
    is_ordered: bool = False
    uses: tuple[str, ...] = ()
    is_volatile: bool = False
    is_file: bool = False
    over: str = ""

    @property
    def uses_number(self) -> bool:
        return "{n}" in self.text

    def __repr__(self) -> str:
        return self.name


def query(name: str, text: str, *reads: tuple[str, ...], **facts: object) -> Template:
    return Template(name, text, reads, **facts)


def function(name: str, text: str, *reads: tuple[str, ...], **facts: object) -> Template:
    uses = ("shift",) if "SHIFT" in text else ()
    return Template(name, text, reads, is_python=True, uses=uses, **facts)


KAB = ("k", "a", "b")
KA = ("k", "a")

TEMPLATES = (
    query("constant", "select {n}::bigint as k, 1::bigint as a, 2::bigint as b"),
    query("filter", "select k, a, b from {u} where a > {n}", KAB),
    query("narrow", "select k, a, {n}::bigint as b from {u}", KA),
    query("modulo", "select k, a % 2 as a, {n}::bigint as b from {u}", KA),
    query("star", "select * from {u}", EVERYTHING),
    query("replace", "select * replace (a + {n} as a) from {u}", EVERYTHING),
    query("join", "select l.k, l.a, r.b + {n} as b from {u} l join {v} r on l.k = r.k", KA, ("k", "b")),
    query("count", "select {n}::bigint as k, count(*) as a, 0::bigint as b from {u}", ()),
    query("group", "select k, sum(a)::bigint as a, {n}::bigint as b from {u} group by k", KA),
    query("having", "select k, max(a) as a, min(a) as b from {u} group by k having max(b) > {n}", KAB),
    query(
        "window",
        "select k, a, rank() over (partition by k order by b) + {n} as b from {u}",
        KAB,
    ),
    query(
        "qualify",
        "select k, a, b from {u} qualify rank() over (partition by k order by a) = {n} + 1",
        KAB,
    ),
    query("nothing", "select {n}::bigint as k, count(a) * 0 as a, 0::bigint as b from {u}", ("a",)),
    query("union", "select k, a, b from {u} union all select k, b, a + {n} from {v}", KAB, KAB),
    query("distinct", "select distinct k, a, {n}::bigint as b from {u}", KA),
    query("exists", "select k, a, b from {u} where k in (select k - {n} from {v})", KAB, ("k",)),
    query(
        "with",
        "with w as (select * from {u}), x as (select k, a + {n} as a from w)\n"
        "select x.k, x.a, count(*) as b from x group by all",
        KA,
    ),
    query("typed", "select k, a::integer as a, b + {n} as b from {u}", KAB),
    query("macro", "select k, scaled(a) as a, {n}::bigint as b from {u}", KA, uses=("factor",)),
    query("variable", "select k, a, b from {u} where a >= $least + {n}", KAB, uses=("least",)),
    query("scalar", "select k, (select count(*) from {v}) + {n} as a, b from {u}", ("k", "b"), ()),
    query("limit", "select k, a, b from {u} limit {n} + 1", IN_ORDER, over="source"),
    query(
        "number",
        "select k, a, row_number() over () + {n} as b from {u}",
        IN_ORDER,
        over="source",
    ),
    query(
        "earliest",
        "select earliest(k) as k, earliest(a) as a, {n}::bigint as b from {u}",
        IN_ORDER,
        over="source",
    ),
    function("made", "() -> pa.Table:\n    return table([({n}, SHIFT, 0)])", is_volatile=True),
    function(
        "again",
        "({u}: pa.Table) -> pa.Table:\n    return table(rows({u}, {n}))",
        EVERYTHING,
        is_volatile=True,
    ),
    function("shifted", "({u}: pa.Table) -> pa.Table:\n    return table(rows({u}, SHIFT))", EVERYTHING),
    function(
        "chosen",
        '({u}: Annotated[pa.Table, Columns("k", "a")]) -> pa.Table:\n'
        "    return table([(row['k'], row['a'], {n}) for row in {u}.to_pylist()])",
        KA,
    ),
    function(
        "listed",
        "({u}: pa.Table, {v}: duckdb.DuckDBPyRelation) -> list[dict]:\n"
        "    total = {v}.count('*').fetchall()[0][0]\n"
        "    return [dict(k=k, a=a, b=b + total * {n}) for k, a, b in rows({u}, 0)] or table([])",
        EVERYTHING,
        EVERYTHING,
    ),
    function(
        "widened",
        "({u}: pa.Table) -> pa.Table:\n"
        "    made = table(rows({u}, 0))\n"
        "    return made.append_column('c', made['a']) if {n} % 2 else made",
        EVERYTHING,
    ),
    function(
        "widths",
        "({u}: pa.Table) -> pa.Table:\n"
        "    return table([({n}, {u}.schema.field('a').type.bit_width, 0)])",
        EVERYTHING,
    ),
    function(
        "ignoring", "({u}: pa.Table) -> pa.Table:\n    return table([({n}, 0, 0)])", EVERYTHING
    ),
    function("head", "({u}: pa.Table) -> pa.Table:\n    return table(rows({u}, {n})[:1])", EVERYTHING, over="ranked"),
    function(
        "file",
        "({u}: pa.Table, context: AssetContext) -> Path:\n"
        "    path = context.path('numbers.txt')\n"
        "    path.write_text(str(sorted(rows({u}, {n}))))\n"
        "    return path",
        EVERYTHING,
        is_file=True,
    ),
)  # fmt: skip

RANKED = query(
    "ranked",
    "select k, a, b from {u} order by k * (1 - 2 * ({n} % 2)), a, b",
    KAB,
    is_ordered=True,
)

_MODULE = """
from pathlib import Path
from typing import Annotated

import duckdb
import pyarrow as pa

from assetflow import AssetContext, Columns, asset
from shop.helpers import SHIFT, rows, table, unused

@asset({options})
def {name}{text}
    # {note}
"""

_HELPERS = """
import pyarrow as pa

SHIFT = {shift}


def table(rows):
    columns = list(zip(*rows)) or [(), (), ()]
    return pa.table(dict(zip("kab", (pa.array(column, pa.int64()) for column in columns))))


def rows(given, shift):
    return [(row["k"], row["a"] + shift, row["b"]) for row in given.to_pylist()]


def unused():
    return {unused}
"""


_MACROS = """
create macro scaled(x) as x * {factor};
create macro earliest(x) as first(x);
create macro unused(x) as x + {unused};
"""


@dataclass(frozen=True, repr=False)
class Declared:
    """One asset: its template, the names of its inputs, and the number in it."""

    name: str
    template: Template
    inputs: tuple[str, ...] = ()
    number: int = 0
    note: int = 0
    renamed_from: str = ""
    is_broken: bool = False

    def __repr__(self) -> str:
        marks = f" was {self.renamed_from}" if self.renamed_from else ""
        return f"{self.name}={self.template}({', '.join(self.inputs)}; {self.number}){marks}"

    def file(self) -> tuple[str, str]:
        """Return the path of the asset's file, and what it says."""
        names = dict(zip("uv", self.inputs, strict=False))
        text = self.template.text.format(n=self.number, **names)
        if not self.template.is_python:
            header = f'renamed_from = "{self.renamed_from}"' if self.renamed_from else ""
            return f"shop/{self.name}.sql", f"/* assetflow\n{header}\n*/\n-- {self.note}\n{text}\n"
        return f"shop/{self.name}.py", self._module(text)

    def _module(self, text: str) -> str:
        renamed = [f'renamed_from="{self.renamed_from}"'] if self.renamed_from else []
        volatile = ["volatile=True"] if self.template.is_volatile and self.inputs else []
        if self.is_broken:
            text = text.replace(":\n", ":\n    raise ValueError('broken')\n", 1)
        return _MODULE.format(
            name=self.name, text=text, note=self.note, options=", ".join(volatile + renamed)
        )


@dataclass(frozen=True)
class Content:
    """What is in a table, or in a file. Columns are names with their types."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[object, ...], ...]
    is_ordered: bool = False

    def seen_by(self, reads: tuple[str, ...], *, is_python: bool) -> object:
        """Return what a reader of the columns `reads` depends on."""
        if not reads:
            return len(self.rows)
        in_order = reads == IN_ORDER or (is_python and self.is_ordered)
        columns, rows = self.columns, self.rows
        if "*" not in reads:
            names = [name for name, _ in columns]
            chosen = [names.index(name) for name in reads]
            columns = tuple(columns[place] for place in chosen)
            rows = tuple(tuple(row[place] for place in chosen) for row in rows)
        return columns, in_order, rows if in_order else tuple(sorted(rows, key=repr))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(self.columns)

    def _comparable(self) -> object:
        return self.columns, self.rows if self.is_ordered else sorted(self.rows, key=repr)


@dataclass(frozen=True, repr=False)
class Shop:
    """A project: what its files say. Assets stand after what they read.

    `shift` is in a helper of functions, `factor` in a macro, `least` a variable; `unused`
    is in a helper, a macro and a variable that nothing uses. The columns of sources are
    declared to be of `kind`, where it is said; and `null` is how they write no value.
    """

    sources: tuple[tuple[str, tuple[Row, ...]], ...]
    assets: tuple[Declared, ...]
    shift: int = 1
    factor: int = 1
    least: int = 0
    unused: int = 0
    kind: str = ""
    null: str = ""

    def __repr__(self) -> str:
        numbers = f"shift={self.shift} factor={self.factor} least={self.least}"
        return f"{self.sources_by_name} {self.assets} {numbers} {self.kind}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return what can be read: the sources, then the assets."""
        return (*self.sources_by_name, *(one.name for one in self.assets))

    @property
    def sources_by_name(self) -> dict[str, tuple[Row, ...]]:
        return dict(self.sources)

    def with_source(self, name: str, rows: tuple[Row, ...]) -> "Shop":
        return replace(self, sources=tuple({**self.sources_by_name, name: rows}.items()))

    def with_asset(self, place: int, **changes: object) -> "Shop":
        assets = list(self.assets)
        assets[place] = replace(assets[place], **changes)
        return replace(self, assets=tuple(assets))

    def readers(self, name: str) -> tuple[Declared, ...]:
        return tuple(one for one in self.assets if name in one.inputs)

    def below(self, name: str) -> set[str]:
        """Return the names of all that is made from `name`, by way of others too."""
        found = {name}
        for one in self.assets:
            if found.intersection(one.inputs):
                found.add(one.name)
        return found - {name}

    def plainly(self) -> "Shop":
        """Return the shop without what changes no content: notes, breakage, former names."""
        assets = (replace(one, note=0, renamed_from="", is_broken=False) for one in self.assets)
        return replace(self, assets=tuple(assets), unused=0)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the text of each file."""
        variables = f"least = {self.least}, unused = {self.unused}"
        yield "assetflow.toml", f'package = "shop"\nthreads = 2\nvariables = {{ {variables} }}\n'
        yield "shop/__init__.py", ""
        yield "shop/helpers.py", _HELPERS.format(shift=self.shift, unused=self.unused)
        yield "shop/macros/scaling.sql", _MACROS.format(factor=self.factor, unused=self.unused)
        columns = f", columns={dict.fromkeys(COLUMNS, self.kind)}" if self.kind else ""
        options = f", read_options={{'nullstr': '{self.null}'}}" if self.null else ""
        declared = [
            f'source("{name}", path="data/{name}.csv"{columns}{options})'
            for name, _ in self.sources
        ]
        yield "shop/sources.py", "from assetflow import source\n\n" + "\n".join(declared)
        for name, rows in self.sources:
            lines = [",".join(map(str, row)) for row in (COLUMNS, *rows)]
            yield f"data/{name}.csv", "\n".join(lines) + "\n"
        yield from (one.file() for one in self.assets)

    def write(self, root: Path) -> None:
        """Make the files in `root` those of the shop; one that says the same is not touched."""
        wanted = dict(self.files())
        for path in [*root.glob("shop/*"), *root.glob("data/*")]:
            if path.is_file() and str(path.relative_to(root)) not in wanted:
                path.unlink()
        for path, text in wanted.items():
            file = root / path
            if not file.is_file() or file.read_text("utf-8") != text.lstrip("\n"):
                write_file(root, path, text)

    def identities(self, contents: Mapping[str, Content]) -> dict[str, object]:
        """Return for each asset all on which its content depends, given that of its inputs."""
        everything = {**self._source_contents(), **contents}
        return {one.name: self._identity(one, everything) for one in self.assets}

    def _source_contents(self) -> dict[str, Content]:
        columns = tuple((name, self.kind or "BIGINT") for name in COLUMNS)
        return {
            name: Content(
                columns,
                tuple(tuple(None if str(v) == self.null else v for v in row) for row in rows),
            )
            for name, rows in self.sources
        }

    def _identity(self, one: Declared, contents: Mapping[str, Content]) -> object:
        template = one.template
        return (
            template.name,
            one.inputs,
            one.number if template.uses_number else None,
            tuple(getattr(self, field) for field in template.uses),
            tuple(
                contents[name].seen_by(reads, is_python=template.is_python)
                for name, reads in zip(one.inputs, template.reads, strict=True)
            ),
        )


def published(shop: Shop, root: Path, environment: str = "main") -> dict[str, Content]:
    """Return what the project in `root` serves, through its Python face."""
    project = api.load(root, environment=environment)
    ordered = {one.name for one in shop.assets if one.template.is_ordered}
    found = {}
    with api.connect(project) as connection:
        for (name,) in connection.execute(
            "select view_name from duckdb_views() where not internal"
        ).fetchall():
            described = connection.execute(f'describe "{name}"').fetchall()
            columns = tuple((column, kind) for column, kind, *_ in described)
            rows = connection.execute(f'from "{name}"').fetchall()
            found[name] = Content(columns, tuple(rows), name in ordered)
    for one in shop.assets:
        if not one.template.is_file:
            continue
        with suppress(NothingAsOf):
            found[one.name] = Content((), ((api.read(project, one.name).read_text("utf-8"),),))
    return found


class Scratch:
    """Shops built from nothing, each in a folder of its own below `folder`, once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[Shop, dict[str, Content]] = {}

    def contents(self, shop: Shop) -> dict[str, Content]:
        """Return what a clean project with the same declarations and data serves."""
        plain = shop.plainly()
        if plain not in self.known:
            root = self.folder / str(len(self.known))
            plain.write(root)
            result = api.materialize(api.load(root))
            assert result.status == "succeeded", [step.error for step in result.steps if step.error]
            self.known[plain] = published(plain, root)
        return self.known[plain]


@cache
def templates_over(inputs: int, kind: str) -> tuple[Template, ...]:
    """Return the templates that take as many `inputs`, the first of which is of `kind`."""
    return tuple(one for one in TEMPLATES if len(one.reads) == inputs and one.over in ("", kind))
