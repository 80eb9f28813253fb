"""The documents that scripts rely on: JSON shapes, diagrams, OpenLineage events."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.report import json_shapes as shapes
from assetflow.report.check_shapes import checks_json, dead_letters_json, repair_json
from assetflow.report.diagrams import dot, mermaid
from assetflow.report.json_values import json_value
from assetflow.report.lineage_scope import LineageScope, within
from assetflow.report.openlineage import openlineage_events
from assetflow.report.sarif import sarif_json
from tests.golden import assert_golden
from tests.report import sample_ages as ages
from tests.report import sample_checks as checked
from tests.report import samples

DOCUMENTS = {
    "plan": lambda: shapes.plan_json(samples.PLAN),
    "plan_diff": lambda: shapes.plan_json(samples.EMPTY_PLAN, samples.DIFFS),
    "materialize": lambda: shapes.run_result_json(samples.RESULT),
    "lineage": lambda: shapes.lineage_json(samples.lineage_of()),
    "status": lambda: shapes.status_json(samples.STATUSES),
    "freshness": lambda: shapes.freshness_json(ages.PAGE),
    "freshness_history": lambda: shapes.freshness_history_json(ages.PAST),
    "runs": lambda: shapes.runs_json(samples.RUNS),
    "run": lambda: shapes.run_page_json(samples.RUN_PAGE),
    "show": lambda: shapes.asset_page_json(samples.PAGE),
    "show_folder": lambda: shapes.asset_page_json(samples.FOLDER_PAGE),
    "env_history": lambda: shapes.publications_json(samples.PUBLICATIONS),
    "sql": lambda: shapes.rows_json(samples.TEXTS),
    "env": lambda: shapes.environments_json(samples.ENVIRONMENTS),
    "audit": lambda: shapes.audit_json(samples.AUDIT),
    "doctor": lambda: shapes.findings_json(samples.FINDINGS),
    "check": lambda: checks_json(checked.PAGE),
    "repair": lambda: repair_json(checked.REPAIR),
    "repaired": lambda: shapes.run_result_json(checked.REPAIRED),
    "dead_letters": lambda: dead_letters_json(checked.DEAD_LETTERS),
    "sarif": lambda: sarif_json(checked.PAGE, "1.2.3"),
    "openlineage": lambda: openlineage_events(samples.lineage_of(), "shop", samples.AT),
}
PROMISED = {
    "plan": {"environment", "steps", "up_to_date"},
    "materialize": {"run_id", "status", "duration_seconds", "steps", "counts"},
    "lineage": {"assets", "edges", "column_edges", "read_sets"},
    "status": {"asset", "sync", "freshness", "health", "behind", "partitions", "reasons"},
    "freshness": {
        "asset",
        "status",
        "lag_seconds",
        "allowed_seconds",
        "data_time",
        "bottleneck",
        "due_at",
        "owners",
    },
    "runs": {"run_id", "status", "environment", "started_at", "duration_seconds", "counts"},
    "sql": {"columns", "rows"},
    "check": {
        *("asset", "partition", "check", "severity", "status", "carried_over", "observed"),
        *("failures", "rows", "sample"),
    },
}
PROMISED_OF_STEPS = {
    "plan": {"asset", "partition", "action", "reasons"},
    "materialize": {"asset", "partition", "outcome", "reasons", "rows", "seconds", "error"},
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_as_it_was(name):
    document = json.loads(shapes.as_text(DOCUMENTS[name]()))

    assert_golden(f"json/{name}", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", PROMISED)
def test_a_document_has_the_promised_keys(name):
    document = json.loads(shapes.as_text(DOCUMENTS[name]()))

    first = document[0] if isinstance(document, list) else document
    assert first.keys() >= PROMISED[name]
    for step in first.get("steps", ()):
        assert step.keys() >= PROMISED_OF_STEPS[name]
        assert all(reason.keys() >= {"code", "text"} for reason in step["reasons"])


def test_the_partition_of_an_unpartitioned_asset_is_null():
    steps = shapes.plan_json(samples.PLAN)["steps"]

    assert [step["partition"] for step in steps] == [None, None, None, "2026-01-05", *[None] * 3]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**63), "-9223372036854775808"),
        (True, True),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("12.50"), 12.5),
        (Decimal(3), 3),
        (Decimal("0.1"), 0.1),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Decimal("NaN"), "NaN"),
        (datetime(2026, 1, 5, 14, 0, tzinfo=timezone(timedelta(hours=1))), "2026-01-05T13:00:00Z"),
        (datetime(2026, 1, 5, 14, 0), "2026-01-05T14:00:00"),  # noqa: DTZ001 - a TIMESTAMP
        (date(2026, 1, 5), "2026-01-05"),
        (time(13, 4), "13:04:00"),
        (timedelta(days=1, seconds=1), 86401.0),
        (b"\x00\xff", "00ff"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": [Decimal(1), None], 2: {"b"}}, {"a": [1, None], "2": ["b"]}),
    ],
)
def test_a_value_keeps_what_it_says(value, expected):
    assert json_value(value) == expected
    assert type(json_value(value)) is type(expected)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_decimal_is_changed(value):
    text = json.dumps(json_value(value))

    read = json.loads(text)
    assert Decimal(str(read)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
        | st.datetimes(timezones=st.just(UTC)) | st.timedeltas(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)  # fmt: skip
def test_every_value_becomes_strict_json(value):
    json.dumps(json_value(value), allow_nan=False)


@pytest.mark.parametrize("draw", [mermaid, dot])
@pytest.mark.parametrize(
    ("name", "lineage"),
    [
        ("assets", samples.lineage_of()),
        (
            "column",
            within(samples.lineage_of(column="orders.day"), LineageScope(all_kinds=True)),
        ),
    ],
)
def test_a_diagram_is_as_it_was(draw, name, lineage):
    assert_golden(f"diagrams/{draw.__name__}_{name}", draw(lineage) + "\n")


def test_names_with_quotes_do_not_break_a_diagram():
    from assetflow.graph.lineage import Lineage, LineageAsset

    odd = Lineage((LineageAsset('a "b" \\ <c>', "sql", None),), (), (), {})

    assert mermaid(odd).splitlines()[1] == '  n0["a &quot;b&quot; \\ &lt;c>"]'
    assert dot(odd).splitlines()[3] == '  "a \\"b\\" \\\\ <c>";'


@pytest.mark.parametrize(
    ("scope", "assets"),
    [
        (LineageScope(), ["raw_orders", "orders", "stores", "revenue", "forecast"]),
        (LineageScope(("up",)), ["raw_orders", "orders", "stores", "revenue"]),
        (LineageScope(("up",), depth=1), ["orders", "stores", "revenue"]),
        (LineageScope(("down",)), ["revenue", "forecast"]),
    ],
)
def test_a_scope_keeps_what_is_around_the_asset(scope, assets):
    found = within(samples.lineage_of(["revenue"]), scope)

    assert [asset.name for asset in found.assets] == assets
    assert all(set(edge) <= set(assets) for edge in found.edges)
    assert {link.target.asset for link in found.column_links} <= set(assets)


@pytest.mark.parametrize(
    ("scope", "links"),
    [
        (LineageScope(("up",)), ["raw_orders.amount"]),
        (LineageScope(("down",)), ["orders.amount", "revenue.revenue"]),
        (LineageScope(("up",), all_kinds=True), ["raw_orders.amount", "raw_orders.status"]),
    ],
)
def test_a_scope_keeps_the_way_of_a_column(scope, links):
    found = within(samples.lineage_of(column="orders.amount"), scope)

    assert [str(link.source) for link in found.column_links] == links


def test_a_lineage_of_everything_stays_whole():
    lineage = samples.lineage_of()

    assert within(lineage, LineageScope(("up",), depth=1)) == lineage


def test_an_openlineage_event_says_what_columns_come_from():
    events = openlineage_events(samples.lineage_of(), "shop", samples.AT)

    by_name = {event["job"]["name"]: event for event in events if "job" in event}
    facet = by_name["revenue"]["outputs"][0]["facets"]["columnLineage"]
    assert facet["fields"]["revenue"]["inputFields"] == [
        {
            "namespace": "shop",
            "name": "orders",
            "field": "amount",
            "transformations": [
                {"type": "DIRECT", "subtype": "AGGREGATION", "description": "", "masking": False}
            ],
        }
    ]
    assert [found["field"] for found in facet["dataset"]] == ["day", "id"]
    assert [event["dataset"]["name"] for event in events if "dataset" in event] == ["raw_orders"]
