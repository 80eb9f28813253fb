"""What a check found, in a few words; the same in reasons, tables, documents and for CI."""

from assetflow.quality.answers import Answer


def failed_rows(failures: int, rows: int | None) -> str:
    """Return how many rows failed, with their total where it is known.

    >>> failed_rows(1, 1), failed_rows(2, None)
    ('1 of 1 row', '2 rows')
    """
    return _counted(failures) if rows is None else f"{failures:,} of {_counted(rows)}"


def observed(answer: Answer) -> str:
    """Return what was observed: the rows that failed, and what else is known of them.

    >>> observed(Answer("failed", "min -3", failures=12, rows=30411))
    '12 of 30,411 rows, min -3'
    >>> observed(Answer("passed", "30,411"))
    '30,411'
    """
    if answer.status == "errored":
        return _first_line(answer.message)
    if not answer.failures:
        return answer.observed
    counts = failed_rows(answer.failures, answer.rows)
    is_said = not answer.observed or answer.observed in (counts, str(answer.failures))
    return counts if is_said else f"{counts}, {answer.observed}"


def finding(answer: Answer) -> str:
    """Return in the words of a sentence what a check found that did not pass.

    >>> finding(Answer("failed", failures=12, rows=30411))
    '12 of 30,411 rows failed'
    >>> finding(Answer("failed", "0.4", "at least 0.5"))
    '0.4, allowed is at least 0.5'
    """
    if answer.status in ("errored", "learning"):
        return _first_line(answer.message)
    if answer.failures:
        return f"{failed_rows(answer.failures, answer.rows)} failed"
    allowed = f", allowed is {answer.bound}" if answer.bound else ""
    return f"{answer.observed}{allowed}" if answer.observed else _first_line(answer.message)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"
