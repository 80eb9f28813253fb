"""Checks of the planes."""

import polars as pl

from assetflow import CheckResult, check

MOST = 0.25


@check("unknown_tail_numbers", severity="warn")
def most_planes_are_known(unknown_tail_numbers: pl.DataFrame, fleet: pl.DataFrame) -> CheckResult:
    """Three of four planes are in the register, else ask for a newer one."""
    unknown = unknown_tail_numbers["tail_number"].n_unique()
    planes = unknown + fleet["tail_number"].n_unique()
    return CheckResult(
        passed=unknown <= MOST * planes,
        observed=f"{unknown:,} of {planes:,} planes are unknown",
        bound=f"at most {MOST:.0%}",
        metric=unknown / planes,
    )
