"""Options as plain values: JSON holds them, and gives back what was declared."""

import json
from dataclasses import fields

import pytest

from assetflow.model.asset import Options
from assetflow.model.checks import Check, QueryCheck
from assetflow.model.freshness import FreshnessPolicy
from assetflow.project import plain_options
from assetflow.project.plain_options import NotPlain, plain, restored
from assetflow.project.sql_files import sql_asset

HEADERS = {
    "nothing": "",
    "texts": 'description = "Ä — 漢 \\"x\\""\ngroup = "marts"\nversion = "2"\nrenamed_from = "old"',
    "lists": 'owners = ["team:a", "team:b"]\ntags = ["daily"]\nignore = ["LOGGER"]',
    "outside": 'packages = ["b", "a"]\nfiles = ["rates.csv"]\nenv = ["REGION"]',
    "running": 'retries = { attempts = 3, backoff = "2s" }\ntimeout = "10m"\npool = "api"',
    "flags": 'ordered = true\nvolatile = true\nfloat_digits = 6\nisolation = "process"',
    "columns": "[columns]\na = 'int'\nb = { type = 'text', nullable = false, tags = ['x'] }",
    "contract": "contract = 'exact'\ncolumns = { a = 'int' }",
    "policy": 'freshness = { max_lag = "6h", warn_lag = "4h", slo = 0.99 }',
    "deadline": 'freshness = { deadline = "0 9 * * *", within = "2h", timezone = "Asia/Tokyo" }',
    "days": 'partitions = { daily = { start = 2026-01-01, timezone = "Europe/Berlin" } }',
    "rows": """
partitions = { daily = "2026-01-01" }
partition_by = "day"
key_column = "key"
event_time = "at"
timezone = "Europe/Berlin"
batch_size = 31""",
    "product": """
[partitions.product]
day = { daily = { start = "2026-01-01", offset = "06:00" } }
region = { static = ["eu", "us"] }
shop = { dynamic = "shops" }""",
    "mappings": """
partitions = { daily = "2026-01-01" }
mappings = { a = { trailing = 7 }, b = { offset = -1 }, c = "latest", d = "all" }""",
    "checks": """
checks = [
  { unique = ["a", "b"], severity = "warn", max_failures = 3, kept_rows = 0 },
  { between = { column = "a", min = 0, max = 1.5 }, where = "b > 0", on_failure = "quarantine" },
  { accepted_values = { column = "a", values = [1, 1.0, "1", true] }, max_fraction = 0.5 },
  { references = { columns = ["a"], to = "other.id" }, timeout = "5s" },
  { row_count = { min = 1 }, scope = "whole", description = "some", name = "filled" },
  { column_types = { a = "int" } },
]""",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=[*HEADERS])
def test_what_a_header_declares_comes_back_as_it_was(header):
    options = sql_asset(f"/* assetflow\n{header}\n*/\nselect 1", "shop/made.sql").options

    again = restored(json.loads(json.dumps(plain(options))))

    assert again == options
    # Equality overlooks the places of checks, and takes 1, 1.0 and true for the same.
    assert repr(again) == repr(options)


def test_the_headers_above_say_something_of_every_option():
    made = [
        sql_asset(f"/* assetflow\n{header}\n*/\nselect 1", "shop/made.sql").options
        for header in HEADERS.values()
    ]

    told = {one.name for one in fields(Options) for got in made if one.name in plain(got)}

    assert told == {one.name for one in fields(Options)}


@pytest.mark.parametrize(
    "value",
    [
        {"": "a name that no plain mapping may have"},
        Options(mappings={"": 1}),
        Check("query", "rows", body=QueryCheck("select 1")),
        Options(tags=["a list"]),
        object(),
    ],
    ids=["mapping", "inside", "body", "list", "thing"],
)
def test_what_no_header_can_say_has_no_plain_form(value):
    with pytest.raises(NotPlain):
        plain(value)


def test_a_time_zone_that_is_not_known_here_is_not_taken_from_elsewhere():
    kept = plain(FreshnessPolicy(60.0, timezone="Mars/Olympus"))

    with pytest.raises(NotPlain):
        restored(kept)


def test_a_default_that_changes_changes_the_form(monkeypatch):
    before = plain_options.form()

    monkeypatch.setitem(plain_options._FIELDS[Options], "batch_size", "2")

    assert plain_options.form() != before
