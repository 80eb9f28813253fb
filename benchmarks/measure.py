"""Whole processes, measured: wall time, processor time and peak memory.

The peak of a process counts from that of the process which started it, so whoever
measures must stay small: this module and `run.py` import no heavy library.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO

RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What one process took, and what it printed."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians of the times of several processes, and the highest of their peaks."""

    wall: float
    cpu: float
    peak_mb: float
    walls: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.wall:.2f} s (cpu {self.cpu:.2f} s, {self.peak_mb:.0f} MB)"


def measure(command: Sequence[str], folder: Path) -> Sample:
    """Return what `command` took in `folder`; stop with its error output if it failed."""
    os.sync()  # what was written before is not to be paid by this process
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said = _text(errors) or _text(output)
            raise SystemExit(f"{' '.join(command)}\nin {folder} failed:\n{said[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        return Sample(wall, cpu, usage.ru_maxrss * RSS_UNIT / 2**20, _text(output))


def summarize(samples: Sequence[Sample]) -> Summary:
    """Return the medians over `samples`."""
    walls = tuple(sample.wall for sample in samples)
    cpu = median(sample.cpu for sample in samples)
    return Summary(median(walls), cpu, max(sample.peak_mb for sample in samples), walls)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
