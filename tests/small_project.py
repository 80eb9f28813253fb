"""A small real project in a folder, for tests that run it."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from assetflow import api
from assetflow.planning.results import RunResult

SETTINGS = 'package = "shop"\n'
TOTALS = "select customer, sum(amount)::bigint as total from clean group by all\n"
ORDERS = "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,5\n"


class SmallProject:
    """Files under `root`, and the verbs over them; it is loaded anew for each verb."""

    def __init__(self, root: Path, files: Mapping[str, str], settings: str = SETTINGS) -> None:
        self.root = root
        self.write({"assetflow.toml": settings, "shop/__init__.py": "", **files})

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def load(self, environment: str = "main") -> api.Project:
        return api.load(self.root, environment=environment, environ={})

    def materialize(self, *select: str, environment: str = "main", **options) -> RunResult:
        return api.materialize(self.load(environment), select, **options)

    def outcomes(self, *select: str, **options) -> dict[str, str]:
        result = self.materialize(*select, **options)
        return {step.target.asset: step.outcome for step in result.steps}

    def actions(self, *select: str, **options) -> dict[str, str]:
        made = api.plan(self.load(), select, **options)
        return {step.target.asset: step.action for step in made.steps}

    def rows(self, asset: str, environment: str = "main") -> list[dict]:
        table = api.read(self.load(environment), asset)
        return sorted(table.to_pylist(), key=str)


def shop(root: Path, **files: str) -> SmallProject:
    """orders (CSV source) → clean (SQL) → totals (SQL) → report (Python)."""
    return SmallProject(
        root,
        {
            "data/orders.csv": ORDERS,
            "shop/sources.py": """
                from assetflow import source

                source("raw_orders", path="data/orders.csv")
                """,
            "shop/clean.sql": "select id, customer, amount from raw_orders where amount > 0\n",
            "shop/totals.sql": TOTALS,
            "shop/report.py": """
                import pyarrow as pa
                from assetflow import asset


                @asset
                def report(totals: pa.Table) -> pa.Table:
                    return totals.slice(0, 1)
                """,
            **files,
        },
    )
