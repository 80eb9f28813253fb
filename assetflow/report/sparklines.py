"""Numbers over time, drawn with bars that are one letter wide."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(numbers: Sequence[float]) -> str:
    """Return numbers as a line of bars, lowest to highest; "" for fewer than two.

    >>> sparkline([1, 2, 3]), sparkline([5, 5]), sparkline([1])
    ('▁▅█', '▄▄', '')
    """
    if len(numbers) <= 1:
        return ""
    low, high = min(numbers), max(numbers)
    if low == high:
        return "▄" * len(numbers)
    top = len(BARS) - 1
    return "".join(BARS[round((number - low) / (high - low) * top)] for number in numbers)
