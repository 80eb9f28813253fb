"""How numbers, durations, sizes and instants read, and how a long name is made short."""

from datetime import UTC, datetime

from rich.cells import cell_len

SHORT_ID = 16
"""So much of a run's id tells it from all others; commands take the beginning of one."""
MINUTE = 60
HOUR = 3600
DAY = 86400
KILO = 1000
PRECISE = 10


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return `count` with its noun.

    >>> counted(1, "row"), counted(336776, "row"), counted(2, "query", "queries")
    ('1 row', '336,776 rows', '2 queries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """Return a duration as people say it, "" if it is not known.

    >>> duration(0.04), duration(12.3), duration(185), duration(7620)
    ('0.04s', '12s', '3m 05s', '2h 07m')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds:.2f}s"
    if seconds < PRECISE:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m {whole % MINUTE:02}s"
    return f"{whole // HOUR}h {whole % HOUR // MINUTE:02}m"


def lag(seconds: float) -> str:
    """Return how old something is, in the two units that matter.

    >>> lag(40), lag(5400), lag(32400), lag(279000), lag(40.3 * 86400)
    ('40s', '1h 30m', '9h', '3d 5h', '40d')
    """
    whole = int(seconds)
    if whole >= PRECISE * DAY:
        return f"{whole // DAY:,}d"
    parts = [
        (whole // DAY, "d"),
        (whole % DAY // HOUR, "h"),
        (whole % HOUR // MINUTE, "m"),
        (whole % MINUTE, "s"),
    ]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = parts[first : first + 2] if first < 2 else parts[first : first + 1]  # noqa: PLR2004
    return " ".join(f"{count}{unit}" for count, unit in shown if count) or "0s"


def size(count: int) -> str:
    """Return a number of bytes in the unit that fits, in powers of a thousand.

    >>> size(0), size(999), size(1_500_000)
    ('0 B', '999 B', '1.5 MB')
    """
    amount = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if round(amount, 1) < KILO:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= KILO
    return f"{amount:,.1f} TB"


def instant(at: datetime | None) -> str:
    """Return an instant in UTC, to the second, "" if there is none."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def minute(at: datetime | None) -> str:
    """Return an instant in UTC, to the minute, "" if there is none."""
    return instant(at)[: len("2026-01-05 13:04")]


def shortened(text: str, width: int) -> str:
    """Return `text` in at most `width` columns of a terminal, with an ellipsis in the middle.

    Names differ most often at their ends, so both ends stay.

    >>> shortened("stg_customer_orders_daily", 13)
    'stg_cu…_daily'
    """
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = (width - 1) // 2
    head = width - 1 - tail
    start = next(text[:count] for count in range(head, -1, -1) if cell_len(text[:count]) <= head)
    places = range(len(text) - tail, len(text) + 1)
    return f"{start}…{next(text[place:] for place in places if cell_len(text[place:]) <= tail)}"


def listed_within(names: tuple[str, ...], most: int) -> str:
    """Return `names` joined, at most `most` of them, and how many more there are.

    >>> listed_within(("a", "b", "c"), 2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    rest = len(names) - most
    return f"{shown} and {rest:,} more" if rest > 0 else shown
