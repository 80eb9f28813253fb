"""What came of asking a check, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from assetflow.model.columns import Schema

CheckStatus = Literal["passed", "warned", "failed", "errored", "learning"]
"""`errored`: the check itself broke. `learning`: there is too little history to tell."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one check of one version came out.

    `observed` and `bound` are texts that people compare. `failures` of `rows` failed, None
    where a check is not about rows. `metric` is the number whose history is kept. `sql`
    reproduces the answer. `message` says what broke, or what is still missing.
    """

    status: CheckStatus
    observed: str = ""
    bound: str = ""
    failures: int | None = None
    rows: int | None = None
    metric: float | None = None
    sql: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands for a value that could not be computed; `message` says why."""

    message: str


class Point(NamedTuple):
    """The metric of an earlier version that passed, and the time that it stands for.

    Of a partition of time that is its start, else when the version was made.
    """

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Known:
    """What a judgment needs beside the values that were measured.

    `now` is when the check is asked; `at` is the time for which the version stands, as in
    its `history`. `published` are the columns of the version that is served, None where
    there is none.
    """

    now: datetime
    at: datetime | None = None
    published: Schema | None = None
    history: tuple[Point, ...] = ()
