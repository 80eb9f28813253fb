"""A query that is known is run from what is kept of it, without parsing its text again."""

from dataclasses import replace

import pytest

from assetflow.model.asset import Asset, Location, SqlBody
from assetflow.model.names import AssetName
from assetflow.project import sql_facts
from assetflow.project.analysis_cache import AnalysisCache
from assetflow.project.sql_facts import SqlReader
from assetflow.sql.query import rewrite

TEXTS = {
    "one table": "select a from orders",
    "aliases": 'select o.a, "Customers".b from shop.orders o join "Customers" using (a)',
    "a qualifier": "select shop.orders.a from shop.orders",
    "a command": "(table orders) union all table orders",
    "files": "select * from 'a.csv' as f join read_csv(['b.csv', 'c'], header=true) using (x)",
    "nothing": "select 1 as a",
    "not ascii": "select 'ä — 漢' as t, a from orders -- ö\n",
}


def asset(text: str, dialect: str = "duckdb") -> Asset:
    return Asset(AssetName("made"), SqlBody(text, dialect), Location("shop/made.sql"))


def kept(cache: AnalysisCache) -> AnalysisCache:
    """Return the cache as another process reads it."""
    cache.save()
    return AnalysisCache(cache.path, cache.rules)


@pytest.mark.parametrize(
    ("text", "dialect"),
    [*((text, "duckdb") for text in TEXTS.values()), ("select `a` from orders", "bigquery")],
    ids=[*TEXTS, "transpiled"],
)
def test_it_is_rewritten_as_if_it_were_parsed(tmp_path, monkeypatch, text, dialect):
    made = asset(text, dialect)
    first = SqlReader(
        *(AnalysisCache(tmp_path / name, "") for name in ("a.json", "b.json")), (), {}
    )
    parsed = first.query(made)
    names = [*parsed.inputs, *(read.name for read in parsed.file_reads)]
    scans = {name: f"(from read_parquet('{name}'))" for name in names}
    first.summary(made)

    monkeypatch.setattr(sql_facts, "parse_query", None)
    again = SqlReader(kept(first.texts), kept(first.cache), (), {}).runnable(made)

    assert rewrite(again, scans, scans) == rewrite(parsed, scans, scans)
    assert not names or rewrite(again, scans, scans) != parsed.text


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS.values(),
        "select random() as r, list(a) as l from orders where b = $limit order by 1",
        "pivot orders on kind using sum(a)",
    ],
)
def test_what_is_kept_of_a_query_says_the_same_as_its_text(tmp_path, text):
    made = asset(text)
    reader = SqlReader(*(AnalysisCache(tmp_path / name, "") for name in "ab"), (), {})
    first = reader.summary(made)

    again = SqlReader(kept(reader.texts), kept(reader.cache), (), {}).summary(made)

    assert replace(again, places=()) == replace(first, places=())
