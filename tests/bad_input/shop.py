"""A small real shop that was materialized once, and commands as a user gives them to it."""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from assetflow.cli.main import run
from assetflow.execution.looking import run_lines
from assetflow.metadata.recall import published
from assetflow.planning.pages import RunLine

FILES = {
    "assetflow.toml": 'package = "shop"\n',
    "shop/__init__.py": "",
    "shop/sources.py": """
        from assetflow import source

        source("raw_orders", path="data/orders/*.csv")
    """,
    "shop/orders.sql": "select id, amount::double as amount from raw_orders\n",
    "data/orders/jan.csv": "id,amount\n1,2.5\n2,3.0\n",
}
ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("ASSETFLOW_")},
    "COLUMNS": "1000",
    "NO_COLOR": "1",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}
START = "import sys; sys.argv[0] = 'assetflow'; from assetflow.cli.main import main; main()"

# What differs from one run to the next, or from one machine to the next.
_VARIES = (
    (re.compile(r"\b(?=\d*[a-f])[0-9a-f]{16}(?:[0-9a-f]{8})?\b"), "<id>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:\+00:00)?"), "<instant>"),
    (re.compile(r"\bin (?:\d+m )?\d+(?:\.\d+)?s(?=[:.])"), "in <time>"),
    (re.compile(r"  (?:\d+m )?\d+(?:\.\d+)?s(?=  )"), ""),
    (re.compile(r"… \d+ calls"), "… <count> calls"),
    (re.compile(r"\d+ bytes"), "<count> bytes"),
    (re.compile(r"\^{2,}"), "^"),
    (re.compile(r"held by( +)\S+ \(PID \d+\)"), r"held by\1<program> (PID <pid>)"),
    (re.compile(r"\bwaited( +)\d+ s\b"), r"waited\1<seconds>"),
    (re.compile(r"\bDuckDB \d+\.\d+\.\d+"), "DuckDB <version>"),
)


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str
    printed: str = field(repr=False, compare=False, default="")

    @property
    def document(self) -> Any:
        """Return the document on standard output, as it was printed."""
        return json.loads(self.printed)

    @property
    def text(self) -> str:
        return self.out + self.err


class Shop:
    """A project in `root`. Each command is a load of its own, as in a new process."""

    def __init__(self, root: Path, capture: Any) -> None:
        self.root = root
        self.capture = capture

    @property
    def state(self) -> Path:
        return self.root / ".assetflow"

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write `files`, without their common indentation; None removes one."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else _text(content).encode()
            path.write_bytes(data)

    def run(self, *arguments: str) -> Said:
        """Carry out a command in this process, in the folder of the project."""
        self.capture.readouterr()
        before, signals = Path.cwd(), [signal.getsignal(one) for one in _SIGNALS]
        os.chdir(self.root)
        try:
            code = run(arguments)
        finally:
            os.chdir(before)
        printed = self.capture.readouterr()
        assert [signal.getsignal(one) for one in _SIGNALS] == signals
        return self.said(code, printed.out, printed.err)

    def process(self, *arguments: str, **options: Any) -> Said:
        """Carry out a command in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            cwd=self.root,
            env=ENVIRON | options.pop("environ", {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        return self.said(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command in a process of its own, whose standard error goes where out goes."""
        return subprocess.Popen(
            [sys.executable, "-c", START, *arguments],
            cwd=self.root,
            env=ENVIRON,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def said(self, code: int, out: str, err: str) -> Said:
        """Return what was said, without what varies; never a traceback of ours."""
        assert "Traceback (most recent call last)" not in out + err, out + err
        return Said(code, self.normalised(out), self.normalised(err), out)

    def normalised(self, text: str) -> str:
        for path in {str(self.root), str(self.root.resolve())}:
            text = text.replace(path, "<project>")
        for pattern, name in _VARIES:
            text = pattern.sub(name, text)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())

    def published(self, environment: str = "main") -> dict[str, tuple[str, int]]:
        """Return the version that is served of each asset, and how large its file is."""
        return {
            target.asset: (one.version.version, self._size(one.version.path))
            for target, one in published(self.state, environment).items()
        }

    def runs(self) -> Sequence[RunLine]:
        """Return the runs that are remembered, the newest first."""
        return run_lines(self.state, 100)

    def kept(self) -> dict[str, tuple[int, int]]:
        """Return the size and the time of each file of the state that is worth keeping."""
        files = [path for path in self.state.rglob("*") if path.is_file()]
        kept = {path.relative_to(self.state).as_posix(): path.stat() for path in files}
        return {
            path: (found.st_size, found.st_mtime_ns)
            for path, found in kept.items()
            if not path.startswith(("cache", "locks"))
        }

    def _size(self, path: str) -> int:
        return (self.state / "data" / path).stat().st_size


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _text(content: str) -> str:
    return dedent(content).lstrip("\n")


def without_privilege() -> None:
    """Let the rights of files hold in this process even if it is root's: for `preexec_fn`."""
    drop_from_bounding_set = 24
    for override_of_rights in (1, 2):
        _LIBC.prctl(drop_from_bounding_set, override_of_rights, 0, 0, 0)


_LIBC = ctypes.CDLL(None, use_errno=True)
