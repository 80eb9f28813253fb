"""Checks of the planes."""

import polars as pl

from assetflow import CheckResult, check

MOST = 0.25


@check("unknown_tail_numbers", severity="warn")
def most_planes_are_known(
    unknown_tail_numbers: pl.DataFrame, stg_planes: pl.DataFrame
) -> CheckResult:
    """The register has the most of those that fly, else ask for a newer one."""
    unknown = unknown_tail_numbers["tail_number"].n_unique()
    return CheckResult(
        passed=unknown <= MOST * len(stg_planes),
        observed=f"{unknown:,} unknown planes beside {len(stg_planes):,} known ones",
        bound=f"at most {MOST:.0%} as many",
        metric=unknown / len(stg_planes),
    )
