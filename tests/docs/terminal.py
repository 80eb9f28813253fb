"""A terminal for the commands of a page, and what of their output may differ between runs."""

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from assetflow.cli.main import run
from tests.docs.aged import is_same_report

REPOSITORY = Path(__file__).parents[2]

# What differs from run to run, the more special first. Everything else is compared as it
# is: names, counts, actions, reasons, data. Instants are known by their year: the data of
# the examples lies in the years before. A step that took no time at all shows no duration,
# and a plan that will take little says nothing of it.
_VARIES = (
    (re.compile(r"^About .* of work, by what it took before\.\n?", re.MULTILINE), ""),
    (re.compile(r'(?<="duration_seconds": )[\d.e-]+|(?<="seconds": )[\d.e-]+'), "<duration>"),
    (re.compile(r"\b20(?:2[4-9]|[3-9]\d)-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"), "<time>"),
    (re.compile(r"\b(?:\d+m )?\d+(?:\.\d+)?s\b|\b\d+h \d\dm\b"), ""),
    # What a policy allows does not vary.
    (re.compile(r"(?<!most )(?<! of )\b(?:[\d,]+d(?: \d+h)?|\d+h(?: \d+m)?|\d+m)\b"), ""),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:B|KB|MB|GB|TB)\b"), "<size>"),
)
_ASSETFLOW = "from assetflow.cli.main import main; main()"
_HELP = re.compile(r"assetflow [a-z ]*--help")
_BRANCH = re.compile(r"[ │]*(?:[├└]── )?")
_SPACES = re.compile(r" {2,}")
_KILLED = re.compile(r"^bash: line \d+: +\d+ Killed.*\n", re.MULTILINE)


class Terminal:
    """Runs commands in `folder` as a user with 80 columns would, one after the other."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.returned = 0
        programs = scratch / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        _write_program(programs / "assetflow", sys.executable, _ASSETFLOW)
        _write_program(programs / "python", "/bin/sh", f'exec {shlex.quote(sys.executable)} "$@"')
        self.environ = {
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(scratch),
            "COLUMNS": "80",
            "LINES": "40",
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }

    def run(self, command: str) -> str:
        """Return what `command` prints, errors included; `$?` is that of the one before."""
        if _HELP.fullmatch(command):
            return self._help(command)
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.returned})\n{command}"],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.returned = done.returncode if done.returncode >= 0 else 128 - done.returncode
        printed = _KILLED.sub("", done.stdout).replace(str(self.folder), f"~/{self.folder.name}")
        return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())

    def _help(self, command: str) -> str:
        """Return a help text without a process of its own: there are many, and all alike."""
        before = dict(os.environ)
        os.environ |= self.environ
        try:
            with redirect_stdout(StringIO()) as printed:
                self.returned = run(shlex.split(command)[1:])
        finally:
            os.environ.clear()
            os.environ |= before
        return printed.getvalue()


def normalised(output: str) -> list[str]:
    """Return the lines of an output without what varies: instants, durations, sizes, ids.

    Nor does it count how far columns stand apart, for that follows from what varies; how
    deep a line is indented does.
    """
    for pattern, name in _VARIES:
        output = pattern.sub(name, output)
    return [_narrowed(line) for line in output.splitlines()]


def _narrowed(line: str) -> str:
    indent = _BRANCH.match(line)
    end = indent.end() if indent else 0
    return line[:end] + _SPACES.sub(" ", line[end:]).rstrip()


def is_same(command: str, expected: str, found: str) -> bool:
    """Whether two outputs of a command say the same.

    The steps of a run end in no fixed order, so of `materialize` the lines are compared
    whatever their order; of `freshness` the words and ages, and of everything else lines as
    they stand.
    """
    if command.startswith("assetflow freshness"):
        return is_same_report(expected, found)
    one, other = normalised(expected), normalised(found)
    if "materialize" in command:
        return Counter(one) == Counter(other)
    return one == other


def _write_program(path: Path, interpreter: str, line: str) -> None:
    path.write_text(f"#!{interpreter}\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
