"""TOML as users write it in settings and headers, with the lines of what is wrong."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from assetflow.errors import MalformedToml, NotUtf8
from assetflow.model.declared_inputs import Location

_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END = re.compile(r" \(at end of document\)$")


def parse_toml(text: str, what: str, path: str, first_line: int = 1) -> dict[str, Any]:
    """Return the keys of `text`, which begins at `first_line` of the file at `path`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _AT_LINE.search(message)
        line = int(found[1]) if found else len(text.rstrip().splitlines())
        why = _AT_END.sub("", _AT_LINE.sub("", message))
        raise MalformedToml(what, why, Location(path, first_line + max(line, 1) - 1)) from None


def line_of(text: str, keys: Sequence[str]) -> int:
    """Return the line of `text` where the last of `keys` stands, each inside the one before.

    A key inside of an inline table stands where the table does; line 1 where none is found.
    """
    start = 0
    for key in keys:
        name = re.escape(key)
        written = rf"^\s*(?:\[+[^\]\n]*\b)?[\"']?{name}[\"']?\s*(?:[=.]|\])"
        found = re.compile(written, re.MULTILINE).search(text, start)
        if found:
            start = text.rfind("\n", 0, found.end()) + 1
    return text.count("\n", 0, start) + 1


def decode(data: bytes, path: str) -> str:
    """Return `data` as text without a byte order mark; NotUtf8 says which line is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotUtf8(data[error.start], Location(path, line)) from None
