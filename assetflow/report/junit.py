"""Checks as JUnit XML, which CI systems show as tests: a suite for each asset.

JUnit knows no warnings: a check that warned is a test that passed and printed why. The
form is the one that Jenkins, GitLab and GitHub's reporters read
(https://github.com/testmoapp/junitxml).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from assetflow.model.names import AssetName
from assetflow.planning.check_pages import CheckLine, ChecksPage
from assetflow.quality.findings import finding

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML 1.0 cannot hold, not even escaped."""


def junit_xml(page: ChecksPage) -> str:
    """Return the document, with its declaration and a newline at its end."""
    suites: dict[AssetName, list[CheckLine]] = {}
    for line in page.lines:
        suites.setdefault(line.asset, []).append(line)
    root = Element("testsuites", {"name": "assetflow", **_counts(page.lines)})
    for asset, lines in suites.items():
        suite = SubElement(root, "testsuite", {"name": _text(asset), **_counts(lines)})
        ended = _ended_at(lines)
        if ended is not None:
            suite.set("timestamp", ended.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for line in lines:
            _add_case(suite, line)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _counts(lines: Sequence[CheckLine]) -> dict[str, str]:
    statuses = [_kind(line) for line in lines]
    return {
        "tests": str(len(lines)),
        "failures": str(statuses.count("failure")),
        "errors": str(statuses.count("error")),
        "skipped": str(statuses.count("skipped")),
        "time": f"{sum(line.seconds for line in lines):.3f}",
    }


def _kind(line: CheckLine) -> str:
    """Return how JUnit calls what came of a check, "" for what passed or only warned."""
    outcome = line.outcome
    if outcome.status == "learning":
        return "skipped"
    if not outcome.has_failed:
        return ""
    return "error" if outcome.status == "errored" else "failure"


def _ended_at(lines: Iterable[CheckLine]) -> datetime | None:
    instants = [line.evaluated_at for line in lines if line.evaluated_at is not None]
    return max(instants, default=None)


def _add_case(suite: Element, line: CheckLine) -> None:
    name = f"{line.outcome.check}[{line.partition}]" if line.partition else line.outcome.check
    if not line.is_published:
        name = f"{name} (rejected version)"
    case = SubElement(suite, "testcase", {"classname": _text(line.asset), "name": _text(name)})
    case.set("time", f"{line.seconds:.3f}")
    if line.place is not None:
        case.set("file", _text(line.place.path))
        case.set("line", str(line.place.line))
    kind = _kind(line)
    message = _text(finding(line.outcome.answer))
    if kind:
        result = SubElement(case, kind, {"message": message})
        if kind != "skipped":
            result.set("type", line.outcome.kind)
            result.text = _text(_details(line))
    elif line.outcome.status != "passed":
        SubElement(case, "system-out").text = _text(f"warned: {message}\n{_details(line)}")


def _details(line: CheckLine) -> str:
    answer = line.outcome.answer
    facts = {
        "about": line.description,
        "observed": answer.observed,
        "allowed": answer.bound,
        "problem": answer.message,
        "declared in": str(line.place or ""),
        "query": answer.sql,
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items() if value)


def _text(text: str) -> str:
    """Return `text` with a question mark for each character that XML cannot hold."""
    return NOT_IN_XML.sub("?", text)
