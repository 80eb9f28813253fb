"""The types of keys that several models share, as users write them."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictStr

from assetflow.model.durations import EXPECTED_DURATION, find_seconds
from assetflow.model.windows import is_zone


def seconds_of(value: object) -> float:
    """Return the seconds of a duration; ValueError says what is expected of another value."""
    seconds = find_seconds(value)
    if seconds is None:
        raise ValueError(EXPECTED_DURATION)
    return seconds


def _timezone(name: str) -> str:
    if not is_zone(name):
        raise ValueError('the name of a time zone, such as "Europe/Berlin"')
    return name


Duration = Annotated[float, BeforeValidator(seconds_of)]
Timezone = Annotated[StrictStr, AfterValidator(_timezone)]
