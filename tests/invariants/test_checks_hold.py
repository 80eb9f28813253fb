"""No reader ever sees a row of a version that failed a check that blocks, whatever happens.

Real projects, of which the data and the checks change; runs that end well, that fail, that
are killed anywhere, and readers that look meanwhile.
"""

import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from assetflow import api
from tests.invariants.mortals import nursery
from tests.project.written import write, write_file

RUNS = 8
EXAMPLES = int(os.environ.get("ASSETFLOW_EXAMPLES", "2"))

WRITER = f"""
import os, sys
from pathlib import Path
from assetflow import api

root = Path(sys.argv[1])
for state in range(1, {RUNS} + 1):
    sign = -1 if state % 2 else 1
    written = root / "data" / "numbers.new"
    written.write_text(f"k,v\\n1,{{state}}\\n2,{{state * sign}}\\n")
    os.replace(written, root / "data" / "numbers.csv")
    result = api.materialize(api.load(root))
    assert result.status == ("failed" if state % 2 else "succeeded"), result
"""


@dataclass
class Shop:
    """Three assets over a source: what is checked, and what is in the source.

    `first` is checked by a bound, `second` by a reference to `known`, `third` sets rows
    aside; `fourth` is checked by a function.
    """

    root: Path
    rows: list[tuple[int, int]] = field(default_factory=lambda: [(1, 1), (2, 2)])
    known: list[int] = field(default_factory=lambda: [1, 2, 3])
    least: int = 0
    aside: int = 5
    most: int = 100

    def write(self) -> None:
        numbers = "".join(f"{k},{v}\n" for k, v in self.rows)
        keys = "".join(f"{k}\n" for k in self.known)
        between = '{ between = { column = "v", %s } }'
        quarantined = between % f'min = {self.aside}, on_failure = "quarantine"'
        referred = '{ references = { columns = ["k"], to = "keys.k" } }'
        write_file(self.root, "shop/__init__.py", "")
        write(
            self.root,
            assetflow_toml='package = "shop"\nthreads = 2\n',
            shop__sources_py=(
                "from assetflow import source\n"
                "source('numbers', path='data/numbers.csv')\n"
                "source('known', path='data/known.csv')\n"
            ),
            shop__promises_py=(
                "import pyarrow.compute as pc\n"
                "from assetflow import check\n"
                "@check('fourth')\n"
                "def few(fourth):\n"
                f"    return (pc.sum(fourth['v']).as_py() or 0) <= {self.most}\n"
            ),
            shop__keys_sql="select k from known",
            shop__first_sql=_sql(between % f"min = {self.least}", "numbers"),
            shop__second_sql=_sql(referred, "first"),
            shop__third_sql=_sql(quarantined, "first"),
            shop__fourth_sql=_sql("", "second"),
            data__numbers_csv=f"k,v\n{numbers}",
            data__known_csv=f"k\n{keys}",
        )

    def keeps(self, name: str, rows: list[tuple[int, int]], keys: set[int]) -> bool:
        """Whether what an asset serves keeps what is promised of it now."""
        match name:
            case "first":
                return all(v >= self.least for _, v in rows)
            case "second":
                return all(k in keys for k, _ in rows)
            case "third":
                return all(v >= self.aside for _, v in rows)
            case "fourth":
                return sum(v for _, v in rows) <= self.most
        return True

    def from_scratch(self) -> dict[str, list[tuple[int, int]]]:
        """Return what a clean project publishes of what has rows."""
        found = {}
        if self.keeps("first", self.rows, set()):
            found["first"] = sorted(self.rows)
            found["third"] = sorted(row for row in self.rows if row[1] >= self.aside)
            if self.keeps("second", self.rows, set(self.known)):
                found["second"] = sorted(self.rows)
                if self.keeps("fourth", self.rows, set()):
                    found["fourth"] = sorted(self.rows)
        return found


def _sql(check: str, upstream: str) -> str:
    return f"/* assetflow\nchecks = [{check}]\n*/\nselect k, v from {upstream}"


def served(root: Path) -> dict[str, list[tuple[int, int]]]:
    """Return what readers see of each asset."""
    with api.connect(api.load(root)) as connection:
        tables = connection.execute(
            "select view_name from duckdb_views() where not internal"
        ).fetchall()
        return {
            name: sorted(connection.execute(f"select * from {name}").fetchall())
            for (name,) in tables
        }


def look(root: Path, shop: Shop, before: dict, *, is_whole: bool) -> dict:
    """Return what is served: of what is new, everything keeps its promises."""
    found = served(root)
    keys = {k for (k,) in found.get("keys", ())}
    for name, rows in found.items():
        assert rows == before.get(name) or shop.keeps(name, rows, keys), (name, rows, shop)
    if is_whole:
        for one in api.status(api.load(root)):
            if one.sync == "up_to_date" and one.health != "unchecked":
                is_kept = shop.keeps(one.asset, found[one.asset], keys)
                assert (one.health != "failed") == is_kept, (one, shop)
        expected = shop.from_scratch()
        assert {name: found.get(name) for name in expected} == expected
        for name in {"first", "second", "third", "fourth"} - expected.keys():
            assert found.get(name) == before.get(name)
    return found


def edit(shop: Shop, chance: random.Random) -> None:
    """Change the data or the checks."""
    match chance.randrange(6):
        case 0 | 1:
            shop.rows = [(k, chance.randint(-1, 9)) for k in range(1, chance.randint(2, 5))]
        case 2:
            shop.known = chance.sample(range(1, 5), chance.randint(1, 4))
        case 3:
            shop.least = chance.randint(-2, 3)
        case 4:
            shop.aside = chance.randint(0, 8)
        case 5:
            shop.most = chance.choice([0, 10, 100])


@pytest.fixture(scope="module")
def children():
    with nursery() as found:
        yield found


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_whatever_changes_only_what_keeps_its_promises_is_published(tmp_path, children, seed):
    chance, shop = random.Random(seed), Shop(tmp_path)
    shop.write()
    api.materialize(api.load(tmp_path))
    seen = look(tmp_path, shop, {}, is_whole=True)
    for _ in range(4):
        edit(shop, chance)
        shop.write()
        if chance.random() < 0.5:
            children.live(tmp_path, dies_at=chance.randrange(200, 6000))
            seen = look(tmp_path, shop, seen, is_whole=False)

        api.materialize(api.load(tmp_path))

        seen = look(tmp_path, shop, seen, is_whole=True)
        again = api.materialize(api.load(tmp_path))
        assert {step.outcome for step in again.steps} <= {"skipped"}
        assert look(tmp_path, shop, seen, is_whole=True) == seen


def test_a_run_that_is_killed_anywhere_publishes_nothing_that_failed(tmp_path, children):
    shop = Shop(tmp_path)
    shop.write()
    api.materialize(api.load(tmp_path))
    good = served(tmp_path)
    shop.rows = [(1, 7), (2, -1)]
    shop.write()

    for dies_at in range(300, 6000, 1900):
        children.live(tmp_path, dies_at=dies_at)
        assert served(tmp_path) == good
    result = api.materialize(api.load(tmp_path))

    assert result.status == "failed"
    assert served(tmp_path) == good


def test_readers_that_look_meanwhile_see_no_row_that_failed(tmp_path):
    Shop(tmp_path).write()
    api.materialize(api.load(tmp_path))
    seen = []

    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) as process:
        while process.poll() is None:
            found = served(tmp_path)
            seen.append({name: rows for name, rows in found.items() if name != "keys"})
            with duckdb.connect(str(tmp_path / ".assetflow/catalog.duckdb"), read_only=True) as one:
                seen.append({"first": one.execute("from first").fetchall()})

    assert process.returncode == 0
    assert all(v >= 0 for one in seen for rows in one.values() for _, v in rows)
    assert served(tmp_path)["first"] == [(1, RUNS), (2, RUNS)]
