"""A terminal for the commands of a page, and what of their output may differ between runs."""

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

# What differs from run to run, the more special first. Everything else is compared as it
# is: names, counts, actions, reasons, data. Instants are known by their year: the data of
# the examples lies in the years before.
_VARIES = (
    (re.compile(r"\b20(?:2[4-9]|[3-9]\d)-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"), "<time>"),
    (re.compile(r"\b(?:\d+d )?(?:\d+h )?(?:\d+m )?\d+(?:\.\d+)?s\b"), "<duration>"),
    (re.compile(r"\b\d+h \d\dm\b"), "<duration>"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:B|KB|MB|GB)\b"), "<size>"),
)
_RULES = re.compile(r"[─━═]{2,}")
_SPACES = re.compile(r"[ \t]+")


class Terminal:
    """Runs commands in `folder` as a user with 80 columns would, one after the other."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.returned = 0
        programs = scratch / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        python = shlex.quote(sys.executable)
        start = "import sys; sys.argv[0] = 'assetflow'; from assetflow.cli.main import main; main()"
        _write_program(programs / "assetflow", f'exec {python} -c "{start}" "$@"')
        _write_program(programs / "python", f'exec {python} "$@"')
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
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.returned})\n{command}"],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.returned = done.returncode if done.returncode >= 0 else 128 - done.returncode
        lines = done.stdout.replace(str(self.folder), f"~/{self.folder.name}").splitlines()
        return "".join(f"{line.rstrip()}\n" for line in lines)


def normalised(output: str) -> list[str]:
    """Return the lines of an output without what varies: instants, durations, sizes, ids."""
    for pattern, name in _VARIES:
        output = pattern.sub(name, output)
    lines = (_SPACES.sub(" ", _RULES.sub("─", line)).strip() for line in output.splitlines())
    return [line for line in lines if line]


def is_same(command: str, expected: str, found: str) -> bool:
    """Whether two outputs of a command say the same.

    The steps of a run end in no fixed order, so of `materialize` the lines are compared
    whatever their order; of everything else as they stand.
    """
    one, other = normalised(expected), normalised(found)
    if "materialize" in command:
        return Counter(one) == Counter(other)
    return one == other


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
