"""What is suggested can be pasted in both languages, says the same in both, and passes."""

import tomllib
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assetflow
from assetflow.model.check_options import read_checks
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.quality.answers import Known
from assetflow.quality.figures import SCAN
from assetflow.quality.judging import judged
from assetflow.quality.suggestions import profile_measures, suggested
from assetflow.warehouse.auditing import measure
from assetflow.warehouse.digests import measured_values

KNOWN = Known(datetime(2026, 1, 22, tzinfo=UTC))
ORDERS = """
    select i as id, 'AB' || (100 + i) as code, i % 4 as grade, (i % 10) / 10 as share,
        case when i % 7 = 0 then null else ['new', 'it''s "paid"', 'a\\b'][i % 3 + 1] end as state,
        i || '@example.org' as mail, -i * 1.5 as balance, null::varchar as note
    from range(90) as r(i)
"""


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


def suggestions_of(connection, query):
    connection.execute(f"create or replace table own as {query}")
    described = connection.execute("describe own").fetchall()
    schema = tuple(Column(name, type_) for name, type_, *_ in described)
    ((rows,),) = connection.execute("select count(*) from own").fetchall()
    texts = [text.replace(SCAN, "own") for text in profile_measures(schema)]
    values = measured_values(connection, "own", texts)
    return schema, rows, suggested(schema, values, rows)


def declared(found):
    """Return the checks of both forms, as pasted."""
    python = eval(f"[{', '.join(one.python for one in found)}]", vars(assetflow) | NAMES)
    header = tomllib.loads(f"checks = [{', '.join(one.header for one in found)}]")
    checks, errors = read_checks(header["checks"], "asset 'own'", lambda *_: Location("", 1))
    assert errors == ()
    return tuple(python), checks


NAMES = {
    name: getattr(assetflow, name)
    for name in ("not_null", "unique", "accepted_values", "between", "matches", "row_count")
} | {"string_length": assetflow.string_length}


def test_what_stands_out_is_suggested_with_its_evidence(connection):
    _, _, found = suggestions_of(connection, ORDERS)

    assert [f"{one.python}  # {one.evidence}" for one in found] == [
        'not_null("id", "code", "grade", "share", "mail", "balance")  # no nulls in 90 rows',
        "row_count(min=1)  # 90 rows now",
        'unique("id")  # 90 values in 90 rows',
        'unique("code")  # 90 values in 90 rows',
        'unique("mail")  # 90 values in 90 rows',
        'between("id", min=0)  # from 0 to 89',
        'matches("code", "^[A-Z0-9]+$")  # all 90 are capitals and digits',
        'string_length("code", min=5, max=5)  # all have 5 characters',
        'between("grade", min=0)  # from 0 to 3',
        'between("share", min=0, max=1)  # from 0 to 0.9',
        'accepted_values("state", [r"a\\b", "it\'s \\"paid\\"", "new"])  # 3 values in 77 rows',
        'matches("mail", r"^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")  # all 90 are an e-mail address',
    ]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.none() | st.text(max_size=4), min_size=1, max_size=40),
    name=st.sampled_from(["x", 'a "b"', "Größe", "it's", "a\\b\n"]),
)
def test_suggestions_say_the_same_in_both_languages_and_pass(connection, values, name):
    connection.execute("create or replace table given (x varchar)")
    places = ", ".join(["(?)"] * len(values))
    connection.execute(f"insert into given values {places}", values)
    column = name.replace('"', '""')
    query = f'select x as "{column}" from given, range(12)'
    schema, rows, found = suggestions_of(connection, query)

    python, header = declared(found)
    measured = measure(connection, "own", schema, python)

    assert python == header
    answers = [judged(c, schema, v, rows, KNOWN) for c, v in zip(python, measured, strict=True)]
    assert {answer.status for answer in answers} <= {"passed"}


def test_nothing_is_suggested_for_nothing(connection):
    assert suggestions_of(connection, f"select * from ({ORDERS}) where false")[2] == ()


@pytest.mark.parametrize("odd", ["'nan'::double", "'inf'::double", "1e300", "0.5", "null"])
def test_what_is_suggested_of_numbers_passes(connection, odd):
    query = f"select if(i = 3, {odd}, i / 10) as x from range(11) as r(i)"
    schema, rows, found = suggestions_of(connection, query)

    python, header = declared(found)
    measured = measure(connection, "own", schema, python)

    assert python == header
    answers = [judged(c, schema, v, rows, KNOWN) for c, v in zip(python, measured, strict=True)]
    assert {answer.status for answer in answers} == {"passed"}
