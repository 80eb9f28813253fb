import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetflow.errors import BadDuration
from assetflow.model.durations import find_seconds, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("6h", 21600),
        ("2d", 172800),
        ("1h30m", 5400),
        ("1d 2h", 93600),
        (" 5m ", 300),
        ("1.5h", 5400),
        ("0s", 0),
        (90, 90),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_read_as_seconds(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", " ", "90", "m", "5x", "30m1h", "-5s", "5ms", "1,5h", -1, True, None, [], float("nan")],
)
def test_what_says_no_duration_has_no_seconds(written):
    assert find_seconds(written) is None


@given(st.text())
def test_any_text_is_a_duration_or_not(text):
    seconds = find_seconds(text)

    assert seconds is None or seconds >= 0


def test_the_error_says_how_durations_are_written():
    with pytest.raises(BadDuration) as caught:
        parse_duration("soon")

    assert str(caught.value) == (
        "'soon' is not a duration.\n"
        '  expected  a number of seconds, or a text such as "90s", "10m", "6h", "2d" or "1h30m"\n'
        'Write it like "10m".'
    )
