"""What all scenarios share: figures with their goals, and processes that are measured."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from measure import Sample, Summary, measure

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".bench"
STORE = ".assetflow"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its goal, and what it was made from.

    The goal is an upper bound, or a lower one if `is_least`.
    """

    what: str
    value: float | None
    unit: str
    goal: float | None = None
    ours: Summary | None = None
    floor: Summary | None = None
    note: str = ""
    is_least: bool = False

    @property
    def met(self) -> str:
        """Return whether the goal is met, for a reader."""
        if self.value is None or self.goal is None:
            return ""
        is_met = self.value >= self.goal if self.is_least else self.value <= self.goal
        return "yes" if is_met else "no"

    def cells(self) -> tuple[str, ...]:
        """Return the figure as a row of the table."""
        value = "" if self.value is None else f"{self.value:,.2f} {self.unit}"
        goal = "" if self.goal is None else f"{self.goal:,g} {self.unit}"
        return (
            *(self.what, value, goal, self.met),
            *("" if side is None else str(side) for side in (self.ours, self.floor)),
            self.note,
        )


HEADINGS = ("what", "figure", "goal", "met", "ours", "floor", "note")


@dataclass(frozen=True, slots=True)
class Bench:
    """What is to be measured: projects of these sizes, each figure so many times."""

    sizes: tuple[int, ...]
    repeats: int
    floor_only: bool

    def assetflow(self, project: Path, *arguments: str) -> Sample:
        """Run one command of assetflow in `project`."""
        return measure([sys.executable, "-m", "assetflow", *arguments], project)

    def samples(
        self, project: Path, *arguments: str, before: Callable[[], object] = lambda: None
    ) -> list[Sample]:
        """Run one command of assetflow several times, none if only the floor is wanted."""
        samples = []
        for _ in range(0 if self.floor_only else self.repeats):
            before()
            samples.append(self.assetflow(project, *arguments))
        return samples


def run_floor(project: Path, script: str, out: str) -> Sample:
    """Run `script` into the empty folder `out`: to replace a file costs more than to write it."""
    remove(project / out)
    (project / out).mkdir()
    return measure([sys.executable, str(HERE / "floor.py"), script], project)


def steps_run(sample: Sample) -> int:
    """Return how many steps a run carried out, by the JSON it printed."""
    counts: dict[str, int] = json.loads(sample.output)["counts"]
    return counts.get("materialized", 0) + counts.get("unchanged", 0)


def median_seconds(samples: Iterable[Sample]) -> float:
    """Return the median of the seconds that the floor took inside its process."""
    seconds = sorted(json.loads(sample.output)["seconds"] for sample in samples)
    return float(seconds[len(seconds) // 2])


def ratio(ours: Summary | None, floor: Summary) -> float | None:
    """Return how many times as long ours took, None where ours was not measured."""
    return ours.wall / floor.wall if ours else None


def remove(folder: Path) -> None:
    """Remove `folder` with all in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
