"""A tiny working project, to start from."""

import keyword
import sys
from collections.abc import Mapping
from pathlib import Path

from assetflow.errors import BadPackageName, FilesInTheWay

SETTINGS = """\
# Where the assets are. Everything else has a default: see `assetflow plan --help`.
package = "{name}"
"""

INIT = '''\
"""The assets of {name}: SQL files and Python functions beside one another."""
'''

SOURCES = '''\
"""What the project reads and does not make."""

from assetflow import source

source("raw_orders", path="data/orders.csv", description="Orders as the shop exports them.")
'''

CLEAN_ORDERS = """\
/* assetflow
description = "Orders that were paid, one row each."
group = "staging"
*/
select
    order_id,
    customer,
    ordered_at::date as day,
    amount::decimal(10, 2) as amount
from raw_orders
where status = 'paid'
"""

DAILY_REVENUE = """\
/* assetflow
description = "Revenue and number of orders of each day."
group = "marts"
*/
select day, sum(amount) as revenue, count(*) as orders
from clean_orders
group by day
order by day
"""

BEST_CUSTOMERS = '''\
"""An asset in Python: the function's name is its name, its parameters are what it reads."""

from typing import Annotated

import pyarrow as pa

from assetflow import AssetContext, Columns, asset

MOST = 3


@asset(group="marts")
def best_customers(
    clean_orders: Annotated[pa.Table, Columns("customer", "amount")], context: AssetContext
) -> pa.Table:
    """The customers who spent most."""
    totals = clean_orders.group_by("customer").aggregate([("amount", "sum")])
    best = totals.sort_by([("amount_sum", "descending")]).slice(0, MOST)
    context.report(customers=totals.num_rows)
    return best.rename_columns(["customer", "spent"])
'''

ORDERS = """\
order_id,customer,ordered_at,amount,status
1,Ada,2026-01-05 09:12:00,18.50,paid
2,Grace,2026-01-05 10:40:00,42.00,paid
3,Ada,2026-01-05 17:03:00,7.25,cancelled
4,Edsger,2026-01-06 08:30:00,64.10,paid
5,Barbara,2026-01-06 11:15:00,12.00,paid
6,Grace,2026-01-06 19:45:00,30.00,paid
7,Ada,2026-01-07 07:55:00,21.40,paid
8,Edsger,2026-01-07 12:20:00,9.90,cancelled
"""

README = """\
# {name}

    assetflow plan                       what will be made, and why
    assetflow materialize                make it
    assetflow show daily_revenue         look at one asset
    assetflow lineage daily_revenue      what it is made from
    assetflow sql "from daily_revenue"   query what was made

Then change something, a comment in `{name}/daily_revenue.sql`, its query, a row of
`data/orders.csv`, and see with `assetflow plan` what follows from it.
"""

IGNORED = ".assetflow/\n__pycache__/\n"


def scaffold(path: Path, name: str = "") -> tuple[Path, ...]:
    """Write a project into `path` and return its files, relative to `path`.

    `name` is that of its package, else made from the folder's. Raises FilesInTheWay
    rather than overwrite a file.
    """
    package = name or package_name(path)
    if not _can_be_a_package(package):
        raise BadPackageName(package)
    files = {Path(file): text.replace("{name}", package) for file, text in _files(package).items()}
    in_the_way = [str(file) for file in files if (path / file).exists()]
    if in_the_way:
        raise FilesInTheWay(path, in_the_way)
    for file, text in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text, "utf-8")
    return tuple(files)


def package_name(path: Path) -> str:
    """Return the name of a package for the folder `path`.

    >>> package_name(Path("/tmp/my-shop")), package_name(Path("/tmp/2026"))
    ('my_shop', 'project_2026')
    """
    letters = "".join(letter if letter.isalnum() else "_" for letter in path.absolute().name)
    name = letters.lower().strip("_") or "project"
    if not name.isidentifier():
        return f"project_{name}"
    return name if _can_be_a_package(name) else f"{name}_project"


def _can_be_a_package(name: str) -> bool:
    taken = name in {*sys.stdlib_module_names, "assetflow"} or keyword.iskeyword(name)
    return name.isidentifier() and not taken


def _files(package: str) -> Mapping[str, str]:
    return {
        "assetflow.toml": SETTINGS,
        ".gitignore": IGNORED,
        "README.md": README,
        "data/orders.csv": ORDERS,
        f"{package}/__init__.py": INIT,
        f"{package}/sources.py": SOURCES,
        f"{package}/clean_orders.sql": CLEAN_ORDERS,
        f"{package}/daily_revenue.sql": DAILY_REVENUE,
        f"{package}/best_customers.py": BEST_CUSTOMERS,
    }
