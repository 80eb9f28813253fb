"""Checks as SARIF 2.1.0, which code hosts show beside the lines that declare them.

Only what did not pass is a result: hosts show each result as an alert
(https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
"""

from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import quote

from assetflow.model.checks import CheckKind
from assetflow.model.declared_inputs import Location
from assetflow.model.fingerprint import fingerprint
from assetflow.planning.check_pages import CheckLine, CheckOutcome, ChecksPage
from assetflow.quality.findings import finding
from assetflow.report.check_order import UNMET

Document: TypeAlias = "dict[str, object]"

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://pypi.org/project/assetflow"

RULES: Mapping[CheckKind, str] = {
    "not_null": "A column has a value in every row.",
    "unique": "No two rows have the same values in some columns.",
    "accepted_values": "A column has only values of a list.",
    "between": "The values of a column lie within bounds.",
    "matches": "The texts of a column match a regular expression.",
    "string_length": "The texts of a column are neither too short nor too long.",
    "row_count": "There are neither too few rows nor too many.",
    "references": "Each value of a column is one of another table's.",
    "expression": "An expression is true in every row.",
    "column_types": "Columns have the types that are declared.",
    "monotonic": "A column does not fall, or does not rise, from row to row.",
    "recent": "The newest value of a column is not too old.",
    "aggregate": "A mean, sum, deviation or quantile lies within bounds.",
    "equal_rows": "Two tables have the same rows.",
    "unchanged_schema": "The columns are those of the version before.",
    "anomaly": "A number lies where its history lets one expect it.",
    "drift": "The values of a column are spread as they were.",
    "function": "A function of the project finds nothing wrong.",
    "query": "A query of the project finds no failing row.",
    "contract": "The columns are those that the asset promises.",
}
"""What each kind of check is about; a rule stands for a kind."""


def sarif_json(page: ChecksPage, version: str) -> Document:
    """Return the document; `version` is that of assetflow."""
    unmet = [line for line in page.lines if line.outcome.status in UNMET]
    kinds = sorted({line.outcome.kind for line in unmet})
    driver = {
        "name": "assetflow",
        "semanticVersion": version,
        "informationUri": HOME,
        "rules": [{"id": kind, "shortDescription": {"text": RULES[kind]}} for kind in kinds],
    }
    run = {"tool": {"driver": driver}, "results": [_result(line, kinds) for line in unmet]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(line: CheckLine, kinds: list[CheckKind]) -> Document:
    outcome = line.outcome
    name = f"{line.target}: {outcome.check}"
    return {
        "ruleId": outcome.kind,
        "ruleIndex": kinds.index(outcome.kind),
        "level": _level(outcome),
        "message": {"text": f"{name}: {finding(outcome.answer)}."},
        "locations": [_location(line)],
        "partialFingerprints": {
            "assetflowCheck/v1": fingerprint(line.asset, line.partition, outcome.check)
        },
        "properties": {
            "asset": line.asset,
            "partition": line.partition or None,
            "check": outcome.check,
            "status": outcome.status,
            "failures": outcome.answer.failures,
            "rows": outcome.answer.rows,
            "is_published": line.is_published,
        },
    }


def _level(outcome: CheckOutcome) -> str:
    return "error" if outcome.has_failed else "warning"


def _location(line: CheckLine) -> Document:
    columns = line.outcome.columns
    names = [f"{line.asset}.{column}" for column in columns] or [str(line.asset)]
    logical = [{"fullyQualifiedName": name, "kind": "member"} for name in names]
    return {**_physical(line.place), "logicalLocations": logical}


def _physical(place: Location | None) -> Document:
    if place is None:
        return {}
    artifact = {"uri": quote(place.path), "uriBaseId": "%SRCROOT%"}
    region = {"region": {"startLine": place.line}} if place.line > 0 else {}
    return {"physicalLocation": {"artifactLocation": artifact, **region}}
