"""Layered projects of tiny SQL assets, the same for the same seed, as a project and as a script.

The first N assets of a larger project are the assets of the smaller one, so that the cost
of an asset can be compared between sizes. Run as a script, it writes one project:
`python benchmarks/generate.py FOLDER --assets 1000`.
"""

import argparse
import random
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

LAYER_WIDTH = 100
REACH = 3
"""How many layers back an upstream can lie."""

SETTINGS = 'package = "bench"\n'
SOURCES = """\
from assetflow import source

source("numbers", path="data/numbers.csv")
"""

# Each asset has the columns id, grp, amount, score and label; not every query reads all of
# them, some give the same result for other input, and {m} always changes the amount. Rows
# are lost by filters and come back by unions, so that a table keeps about ten in any layer.
SEED_QUERIES = (
    """\
select n.id, n.grp, (n.amount * {k} + {m}) % 10007 as amount, n.score, n.label
from {a} as n
where n.batch = {d}
""",
    """\
select
    n.id,
    upper(n.grp) as grp,
    ((n.amount + {m}) % 10007)::bigint as amount,
    n.score % {k} as score,
    case when n.amount > 5000 then 'high' else 'low' end as label
from {a} as n
where n.batch = {d} and n.amount is not null
""",
    """\
select
    n.id,
    min(n.grp) as grp,
    (sum(n.amount) + {m})::bigint % 10007 as amount,
    count(*)::bigint as score,
    max(n.label) as label
from {a} as n
where n.batch in ({d}, {d} + 1)
group by n.id
""",
)

QUERIES: Mapping[int, tuple[str, ...]] = {
    1: (
        """\
select t.id, lower(t.grp) as grp, (t.amount * {k} + {m}) % 10007 as amount, t.score, t.label
from {a} as t
where t.amount is not null
""",
        """\
select t.id, t.grp, (t.amount + {m}) % 10007 as amount, (t.score + {k}) % 1000 as score, t.label
from {a} as t
where t.id <> {d}
""",
        """\
select
    t.id,
    t.grp,
    (t.score * {k} + {m}) % 10007 as amount,
    case when t.amount > 7500 then 3 when t.amount > 2500 then 2 else 1 end::bigint as score,
    trim(t.label) as label
from {a} as t
""",
        """\
select
    t.id,
    t.grp,
    (t.amount + {m} + coalesce(lag(t.amount) over (order by t.id), 0)) % 10007 as amount,
    rank() over (partition by t.grp order by t.amount desc, t.id) as score,
    t.label
from {a} as t
order by t.id
""",
    ),
    2: (
        """\
select l.id, l.grp, (l.amount + r.amount * {k} + {m}) % 10007 as amount, l.score, r.label
from {a} as l
left join {b} as r using (id)
where l.amount is not null
""",
        """\
select
    id,
    coalesce(l.grp, r.grp) as grp,
    (coalesce(l.amount, {k}) + {m}) % 10007 as amount,
    coalesce(r.score, l.score) as score,
    coalesce(l.label, r.label) as label
from {a} as l
full join {b} as r using (id)
""",
        """\
with rows as (
    select l.id, l.grp, l.amount, l.score, l.label from {a} as l
    union all
    select r.id, r.grp, r.amount, r.score, r.label from {b} as r
)
select
    id,
    min(grp) as grp,
    (sum(amount) + {m})::bigint % 10007 as amount,
    count(*)::bigint as score,
    max(label) as label
from rows
group by id
""",
        """\
with totals as (
    select r.grp, sum(r.score)::bigint as total, count(*) as members
    from {b} as r
    group by r.grp
)
select
    l.id,
    l.grp,
    (l.amount + {m}) % 10007 as amount,
    coalesce(totals.total, {k}) % 1000 as score,
    l.label
from {a} as l
left join totals on totals.grp = l.grp
""",
        """\
select t.id, t.grp, (t.amount * {k} + {m}) % 10007 as amount, t.score, t.label
from {a} as t
where t.id < 8 or exists (select 1 from {b} as other where other.id = t.id)
""",
    ),
    3: (
        """\
select
    a.id,
    a.grp,
    (a.amount + {m}) % 10007 as amount,
    coalesce(b.score, 0) + {k} as score,
    coalesce(c.label, a.label) as label
from {a} as a
left join {b} as b on b.id = a.id
left join {c} as c on c.id = a.id and c.score > 1
""",
        """\
with rows as (
    select * from {a} as x where x.id % 3 = 0
    union all
    select * from {b} as y where y.id % 3 = 1
    union all
    select * from {c} as z where z.id % 3 = 2
)
select id, grp, (amount * {k} + {m}) % 10007 as amount, score, label
from rows
""",
        """\
with strong as (
    select r.id, r.amount from {b} as r
    qualify r.amount >= avg(r.amount) over (partition by r.grp)
)
select
    l.id,
    l.grp,
    (coalesce(strong.amount, l.amount) + {m}) % 10007 as amount,
    (l.score + coalesce(c.score, {k})) % 1000 as score,
    l.label
from {a} as l
left join strong using (id)
left join {c} as c using (id)
""",
    ),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One tiny SQL asset: a query with places for its upstreams and its numbers."""

    name: str
    layer: int
    upstreams: tuple[str, ...]
    template: str
    numbers: Mapping[str, int]

    @property
    def path(self) -> Path:
        """Return where the asset's file lies in the project."""
        return Path("bench") / f"layer_{self.layer:02d}" / f"{self.name}.sql"

    def query(self, reference: Callable[[str], str] = str) -> str:
        """Return the query, its upstreams written as `reference` says, else by their names."""
        tables = dict(zip("abc", map(reference, self.upstreams), strict=False))
        return self.template.format(**tables, **self.numbers)

    def edited(self, by: int) -> "Asset":
        """Return the asset with another expression for its amount."""
        return replace(self, numbers={**self.numbers, "m": self.numbers["m"] + by})


def make_assets(count: int, seed: int = 1) -> tuple[Asset, ...]:
    """Return `count` assets in layers, upstream first."""
    return tuple(_asset(number, seed) for number in range(count))


def _asset(number: int, seed: int) -> Asset:
    choose = random.Random(f"{seed} {number}")  # noqa: S311 - the same projects for the same seed
    layer = number // LAYER_WIDTH
    upstreams = _upstreams(choose, layer) if layer else ("numbers",)
    template = choose.choice(QUERIES[len(upstreams)] if layer else SEED_QUERIES)
    numbers = {"k": choose.randint(2, 9), "m": choose.randint(1, 5000), "d": choose.randint(0, 9)}
    return Asset(_name(number), layer, upstreams, template, numbers)


def _upstreams(choose: random.Random, layer: int) -> tuple[str, ...]:
    """Return one to three assets of the layers before, the first from the last of them."""
    before = layer * LAYER_WIDTH
    numbers = [choose.randrange(before - LAYER_WIDTH, before)]
    for _ in range(choose.choice((0, 1, 1, 2))):
        number = choose.randrange(max(0, before - REACH * LAYER_WIDTH), before)
        numbers += [number] if number not in numbers else []
    return tuple(map(_name, numbers))


def _name(number: int) -> str:
    return f"a_{number:05d}"


def downstream_of(name: str, assets: Iterable[Asset]) -> tuple[Asset, ...]:
    """Return the asset `name` and all that can follow from it, upstream first."""
    reached = {name}
    found = []
    for asset in assets:
        if asset.name == name or not reached.isdisjoint(asset.upstreams):
            reached.add(asset.name)
            found.append(asset)
    return tuple(found)


def middle_asset(assets: tuple[Asset, ...]) -> Asset:
    """Return the asset of the middle layer that the most assets are downstream of."""
    middle = assets[len(assets) // 2].layer
    layer = [asset for asset in assets if asset.layer == middle]
    return max(layer, key=lambda asset: len(downstream_of(asset.name, assets)))


def write_project(folder: Path, assets: Iterable[Asset]) -> None:
    """Write `assets` as the project in `folder`; what was materialized there is kept."""
    shutil.rmtree(folder / "bench", ignore_errors=True)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "numbers.csv").write_text(_numbers())
    (folder / "assetflow.toml").write_text(SETTINGS)
    (folder / "bench").mkdir()
    (folder / "bench" / "__init__.py").touch()
    (folder / "bench" / "sources.py").write_text(SOURCES)
    for asset in assets:
        write_asset(folder, asset)


def write_asset(folder: Path, asset: Asset) -> None:
    """Write the file of one asset into the project in `folder`."""
    path = folder / asset.path
    path.parent.mkdir(exist_ok=True)
    path.write_text(asset.query())


def write_script(path: Path, assets: Iterable[Asset], tables: Mapping[str, str], out: str) -> None:
    """Write `assets` as they are written by hand: a `COPY` into the folder `out` each.

    `tables` says what is read for an upstream that is not among `assets`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(_copies(assets, dict(tables), out)))


def _copies(assets: Iterable[Asset], tables: dict[str, str], out: str) -> Iterable[str]:
    for asset in assets:
        file = f"'{out}/{asset.name}.parquet'"
        yield f"copy (\n{asset.query(tables.__getitem__)}) to {file} (format parquet);\n\n"
        tables[asset.name] = f"read_parquet({file})"


def _numbers(batches: int = 11, rows: int = 12) -> str:
    choose = random.Random(0)  # noqa: S311 - always the same file
    lines = ["batch,id,grp,amount,score,label"]
    for batch in range(batches):
        for number in range(rows):
            grp, label = choose.choice(("north", "south", "east")), f"item {number}"
            lines.append(
                f"{batch},{number},{grp},{choose.randrange(10007)},{choose.randrange(100)},{label}"
            )
    return "\n".join(lines) + "\n"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--assets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write_project(options.folder, make_assets(options.assets, options.seed))


if __name__ == "__main__":
    _main()
