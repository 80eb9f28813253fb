"""How errors are printed: on a terminal long facts are broken between words, below one another."""

import os
import re
import textwrap
from collections.abc import Iterator
from typing import TextIO

from assetflow.errors import AssetflowError

_FACT = re.compile(r"  \S+(?: \S+)*  +(?=\S)")
_INDENT = re.compile(r" *")


def printed(error: AssetflowError, stream: TextIO) -> str:
    """Return `error` as it is printed to `stream`, which breaks its lines if it is a terminal."""
    width = _width(stream)
    text = str(error)
    return "\n".join(wrapped(text, width)) if width else text


def wrapped(text: str, width: int) -> Iterator[str]:
    r"""Yield the lines of `text`, in no more than `width` columns where its words allow it.

    What goes on stands below where the value of the fact begins, or the line itself.

    >>> list(wrapped("  given     3\n  expected  one or two", 17))
    ['  given     3', '  expected  one', '            or', '            two']
    """
    for line in text.split("\n"):
        begin = _FACT.match(line) or _INDENT.match(line)
        indent = begin.end() if begin else 0
        if len(line) <= width or indent >= width:
            yield line
        else:
            yield from _broken(line[:indent], line[indent:], width - indent)


def _broken(before: str, value: str, width: int) -> Iterator[str]:
    """Yield what stands `before` a value and the value, in lines of `width` below one another."""
    lines = textwrap.wrap(
        value,
        width,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for place, line in enumerate(lines):
        yield f"{' ' * len(before) if place else before}{line}"


def _width(stream: TextIO) -> int:
    """Return how many columns the terminal has that `stream` is, 0 where it is none."""
    if not stream.isatty():
        return 0
    said = os.environ.get("COLUMNS", "")
    if said.isdigit():
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0
