"""How old an asset's data may be: as a user writes it, and as the rest of assetflow reads it."""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from assetflow.model.cron import find_cron_problem
from assetflow.model.durations import EXPECTED_DURATION, duration_text
from assetflow.model.written_types import Timezone, seconds_of

OnOverdue = Literal["report", "materialize"]

EXPECTED_FRESHNESS = '{ max_lag = "6h" }, { deadline = "0 7 * * *", within = "1d" }, or both'

OPTED_OUT = "none"
"""What an asset or source says for its freshness that no policy of the settings holds for."""

LONGEST_SPAN = 100 * 365.25 * 86400
_EXPECTED_SPAN = f"{EXPECTED_DURATION}, above 0 and at most a hundred years"

EXPECTED_OF_ONE = f'{EXPECTED_FRESHNESS}; "{OPTED_OUT}" for no policy at all'


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """How old data may be, validated: by `max_lag_seconds`, by a `deadline`, or by both.

    At each instant at which `deadline` fires by the clocks of `timezone`, data may be at
    most `within_seconds` old; whatever its age in between. `warn_lag_seconds` None: the
    last fifth of a bound is the warning. `slo` is the share of time in
    which data is to be fresh. Without any bound it stands for "none": no policy holds.
    """

    max_lag_seconds: float | None = None
    warn_lag_seconds: float | None = None
    deadline: str = ""
    within_seconds: float = 0.0
    timezone: str = "UTC"
    on_overdue: OnOverdue = "report"
    slo: float | None = None

    @property
    def is_none(self) -> bool:
        """Whether it has no bound: its asset opted out of the policies of the settings."""
        return self.max_lag_seconds is None and not self.deadline

    @property
    def bound_seconds(self) -> float:
        """Return the tightest of its bounds."""
        bounds = (self.max_lag_seconds, self.within_seconds if self.deadline else None)
        return min(bound for bound in bounds if bound is not None)

    def __str__(self) -> str:
        """Return the policy in one line.

        >>> str(FreshnessPolicy(21600.0, deadline="0 7 * * *", within_seconds=5400.0))
        'at most 6h old, and at most 1h30m old by 0 7 * * * (UTC)'
        """
        said = []
        if self.max_lag_seconds is not None:
            said.append(f"at most {duration_text(self.max_lag_seconds)} old")
        if self.deadline:
            within = duration_text(self.within_seconds)
            said.append(f"at most {within} old by {self.deadline} ({self.timezone})")
        return ", and ".join(said)


@dataclass(frozen=True, slots=True)
class StatedPolicy:
    """A policy, and where it stands: "itself", or in the settings "group marts", "tag daily"."""

    policy: FreshnessPolicy
    origin: str = "itself"


def _cron(text: str) -> str:
    problem = find_cron_problem(text)
    if problem:
        raise ValueError(problem)
    return " ".join(text.split())


def _span(value: object) -> float:
    seconds = seconds_of(value)
    if not 0 < seconds <= LONGEST_SPAN:
        raise ValueError(_EXPECTED_SPAN)
    return seconds


def _share(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError("a share of time that is less than 1, such as 0.99")
    return value


def _action(value: object) -> object:
    if value not in get_args(OnOverdue):
        raise ValueError('"report" or "materialize"')
    return value


_Span = Annotated[float | str, BeforeValidator(_span)]


class Freshness(NamedTuple):
    """How old data may be: at most `max_lag`, or at each `deadline` (cron) at most `within`.

    From `warn_lag` on it is due soon. `on_overdue="materialize"` lets automation act;
    `slo` is the share of time in which data is to be fresh.
    """

    max_lag: Annotated[_Span | None, Field(examples=['"6h"'])] = None
    warn_lag: Annotated[_Span | None, Field(examples=['"5h"'])] = None
    deadline: Annotated[
        Annotated[StrictStr, AfterValidator(_cron)] | None,
        Field(description="a cron expression of five fields", examples=['"0 7 * * 1-5"']),
    ] = None
    within: Annotated[_Span | None, Field(examples=['"1d"'])] = None
    timezone: Annotated[Timezone | None, Field(examples=['"Europe/Berlin"'])] = None
    on_overdue: Annotated[
        OnOverdue, BeforeValidator(_action), Field(examples=['"materialize"'])
    ] = "report"
    slo: Annotated[Annotated[float, BeforeValidator(_share)] | None, Field(examples=["0.99"])] = (
        None
    )

    def __repr__(self) -> str:
        said = (
            f"{name}={value!r}"
            for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        )
        return f"Freshness({', '.join(said)})"

    def frozen(self) -> FreshnessPolicy:
        """Return what the rest of assetflow reads, of a policy that has been validated."""
        return FreshnessPolicy(
            max_lag_seconds=None if self.max_lag is None else float(self.max_lag),
            warn_lag_seconds=None if self.warn_lag is None else float(self.warn_lag),
            deadline=self.deadline or "",
            within_seconds=float(self.within or 0),
            timezone=self.timezone or "UTC",
            on_overdue=self.on_overdue,
            slo=self.slo,
        )


def _fits_together(said: Freshness) -> Freshness:
    """Return a policy whose keys make sense beside one another."""
    if said.max_lag is None and said.deadline is None:
        raise ValueError(EXPECTED_FRESHNESS)
    if (said.deadline is None) != (said.within is None):
        raise ValueError("`deadline` and `within` together: when data is due, and how old at most")
    if said.deadline is None and said.timezone is not None:
        raise ValueError("a `deadline` as well, whose time zone it is")
    if said.warn_lag is not None and not _is_less(said.warn_lag, said.max_lag):
        raise ValueError("a `warn_lag` that is less than `max_lag`")
    return said


def _is_less(one: float | str, other: float | str | None) -> bool:
    return other is not None and float(one) < float(other)


def _keys(said: object) -> object:
    """Return a value of Python as a table, so that what is wrong with it names the key."""
    return said._asdict() if isinstance(said, Freshness) else said


def _unless_opted_out(said: object, validate: ValidatorFunctionWrapHandler) -> Freshness:
    """Return the policy of one asset or source: one without a bound where it said "none"."""
    found: Freshness = Freshness() if said == OPTED_OUT else validate(said)
    return found


DeclaredFreshness = Annotated[Freshness, BeforeValidator(_keys), AfterValidator(_fits_together)]
OwnFreshness = Annotated[DeclaredFreshness, WrapValidator(_unless_opted_out)]
