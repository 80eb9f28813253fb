"""A suite of Great Expectations as a check: what it finds is told as a result of ours."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from assetflow.model.checks import CheckResult

MOST_TOLD = 20
ONE_AT_A_TIME = threading.Lock()
"""The library keeps its context in a variable of the whole process."""


def expectations_result(suite: Any, frame: Any) -> CheckResult:
    """Return how a `frame` meets an expectation `suite`: of pandas, or what can become that.

    An expectation of severity warning or info that is not met is told, but fails nothing;
    one about no rows cannot be tolerated, nor one that cannot be evaluated. Nothing is
    reported to anybody.
    """
    table = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    with ONE_AT_A_TIME:
        found = _batch(table).validate(suite, result_format={"result_format": "COMPLETE"})
    return result_of(found.to_json_dict(), table)


def _batch(table: Any) -> Any:
    """Return the table as the library takes it, in a context that lives in memory only."""
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    context = great_expectations.get_context(project_config=config, mode="ephemeral")
    asset = context.data_sources.add_pandas("assetflow").add_dataframe_asset("checked")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    return whole.get_batch(batch_parameters={"dataframe": table})


def result_of(found: Mapping[str, Any], table: Any) -> CheckResult:
    """Return the result for what validating a suite on `table` gave, as a JSON document."""
    unmet = [one for one in found["results"] if not one["success"]]
    failed = [one for one in unmet if _is_critical(one)]
    told = [_told(one) for one in unmet]
    more = [f"and {len(told) - MOST_TOLD:,} more"] if len(told) > MOST_TOLD else []
    rows = sorted({row for one in failed for row in _rows(one)})
    of_tables = [_told(one) for one in failed if not _rows(one)]
    return CheckResult(
        passed=not failed,
        message="\n".join([*told[:MOST_TOLD], *more]),
        observed=", ".join(of_tables),
        bound="meets the suite",
        failures=None if of_tables else len(rows),
        rows=len(table),
        failing_rows=table.iloc[rows].reset_index(drop=True) if rows else None,
    )


def _is_critical(one: Mapping[str, Any]) -> bool:
    """Whether an expectation is to fail the suite; before severities there were, each was."""
    return str(one["expectation_config"].get("severity") or "critical") == "critical"


def _rows(one: Mapping[str, Any]) -> Sequence[int]:
    """Return the places of the rows that do not meet an expectation about rows."""
    return one["result"].get("unexpected_index_list") or ()


def _told(one: Mapping[str, Any]) -> str:
    """Return what was expected of what, and what was found, on one line."""
    config, result = one["expectation_config"], one["result"]
    names = [
        str(value) for name, value in config["kwargs"].items() if name.lower().startswith("column")
    ]
    expected = f"{', '.join(names)}: {config['type']}" if names else str(config["type"])
    problem = _problem(one.get("exception_info") or {})
    if problem:
        return f"{expected}: {problem}"
    if result.get("unexpected_count") is not None:
        return f"{expected} ({result['unexpected_count']:,} of {result['element_count']:,})"
    return f"{expected}: {result['observed_value']}" if "observed_value" in result else expected


def _problem(info: Mapping[str, Any]) -> str:
    """Return why an expectation could not be evaluated, "" where it could."""
    if "raised_exception" in info:
        return str(info["exception_message"]) if info["raised_exception"] else ""
    return next((_problem(one) for one in info.values() if isinstance(one, Mapping)), "")
