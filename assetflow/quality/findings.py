"""What a check found, in a few words; the same in reasons, tables, documents and for CI."""

from collections.abc import Sequence
from dataclasses import replace

from assetflow.quality.answers import Answer


def failed_rows(failures: int, rows: int | None) -> str:
    """Return how many rows failed, with their total where it is known.

    >>> failed_rows(12, 30411), failed_rows(1, None)
    ('12 of 30,411 rows failed', '1 row failed')
    """
    total = f"{failures:,} of {rows:,}" if rows is not None else f"{failures:,}"
    return f"{total} row{'' if (failures if rows is None else rows) == 1 else 's'} failed"


def added_up(answers: Sequence[Answer]) -> Answer | None:
    """Return what one check found in several partitions as one; None if it counts no rows.

    >>> found = [Answer("failed", failures=20, rows=37), Answer("failed", failures=4, rows=40)]
    >>> added_up(found).observed
    '24 of 77 rows failed'
    """
    failures = [one.failures for one in answers if one.failures is not None]
    if not failures or len(failures) < len(answers):
        return None
    rows = [one.rows for one in answers if one.rows is not None]
    count, total = sum(failures), sum(rows) if len(rows) == len(answers) else None
    found = failed_rows(count, total)
    return replace(answers[0], observed=found, failures=count, rows=total, metric=float(count))


def observed(answer: Answer) -> str:
    """Return what was observed; of what broke, how.

    >>> observed(Answer("failed", failures=12, rows=30411))
    '12 of 30,411 rows failed'
    """
    if answer.status == "errored":
        return _first_line(answer.message)
    if answer.observed or not answer.failures:
        return answer.observed
    return failed_rows(answer.failures, answer.rows)


def finding(answer: Answer) -> str:
    """Return in the words of a sentence what a check found that did not pass.

    >>> finding(Answer("failed", "12 of 30,411 rows failed", "at least 0", 12, 30411))
    '12 of 30,411 rows failed'
    >>> finding(Answer("failed", "0.4", "at least 0.5"))
    '0.4, allowed is at least 0.5'
    """
    if answer.status in ("errored", "learning"):
        return _first_line(answer.message)
    if answer.failures is not None:
        return observed(answer)
    allowed = f", allowed is {answer.bound}" if answer.bound else ""
    return f"{answer.observed}{allowed}" if answer.observed else _first_line(answer.message)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
