"""What came of asking a check, as values."""

from dataclasses import dataclass
from typing import Literal

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
