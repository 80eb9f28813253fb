"""What was worked out about queries and headers, kept by content: nothing is parsed twice."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CACHE_VERSION = 5


@dataclass(slots=True)
class AnalysisCache:
    """JSON values by content key, in one file that is replaced as a whole.

    It may vanish or be out of date at any time: then things are worked out again.
    `rules` names all that the values depend on beside their keys; values made under
    others are not read. The file is read when something is asked for, and only what was
    asked for is kept by `save`.
    """

    path: Path
    rules: str
    used: dict[str, Any] = field(default_factory=dict)
    _known: dict[str, Any] | None = None

    @property
    def known(self) -> dict[str, Any]:
        """Return what an earlier process kept, if it can be read."""
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            match json.loads(self.path.read_bytes()):
                case {"version": version, "rules": rules, "values": dict(values)}:
                    is_ours = version == CACHE_VERSION and rules == self.rules
                    return values if is_ours else {}
        return {}

    @property
    def is_new(self) -> bool:
        """Whether no earlier process kept anything, so that all is to be worked out."""
        return not self.known

    def get(self, key: str) -> Any | None:
        """Return the value under `key`, or None."""
        value = self.used.get(key)
        if value is None:
            value = self.known.get(key)
            if value is not None:
                self.used[key] = value
        return value

    def put(self, key: str, value: Mapping[str, object]) -> None:
        """Keep `value` under `key`."""
        self.used[key] = value

    def save(self) -> None:
        """Keep what was used, if that is more or less than what was read.

        A state folder that is not there or cannot be written keeps nothing.
        """
        was_asked = self._known is not None or self.used
        if not was_asked or self.used.keys() == self.known.keys():
            return
        stored = {"version": CACHE_VERSION, "rules": self.rules, "values": self.used}
        beside = self.path.with_suffix(f".{os.getpid()}.new")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            beside.write_text(json.dumps(stored, separators=(",", ":")), encoding="utf-8")
            beside.replace(self.path)
            self._known = dict(self.used)
