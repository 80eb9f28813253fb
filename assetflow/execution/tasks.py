"""Which steps are made together: by one call of a function, or by one query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetflow.model.names import AssetPartition, PartitionKey
from assetflow.model.partitions import KeySet
from assetflow.planning.steps import Step, Verdict

if TYPE_CHECKING:
    from assetflow.execution.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Task:
    """The steps that one call of one function makes, mostly one."""

    steps: tuple[Step, ...]

    @property
    def targets(self) -> tuple[AssetPartition, ...]:
        """Return what the task makes."""
        return tuple(step.target for step in self.steps)

    def __hash__(self) -> int:
        return hash(self.targets)


def tasks_of(steps: Iterable[Step], knowledge: Knowledge) -> list[Task]:
    """Return `steps` as tasks: what one call of one function, or one query, makes together.

    Partitions of an asset go together as many as it says at once, neighbours in a plan.
    """
    assets = knowledge.graph.assets
    groups: dict[object, list[Step]] = {}
    counted: Counter[object] = Counter()
    for step in steps:
        asset = assets.get(step.target.asset)
        if asset is None:
            groups[step.target] = [step]
            continue
        code = id(asset.body)
        if asset.options.batch_size > 1:
            place = counted[step.target.asset] // asset.options.batch_size
            counted[step.target.asset] += 1
            groups.setdefault((code, place), []).append(step)
        else:
            groups.setdefault((code, step.target.partition), []).append(step)
    return [Task(tuple(group)) for group in groups.values()]


def alike(
    settled: Sequence[tuple[Step, Verdict]], keys: KeySet
) -> Iterator[Sequence[tuple[Step, Verdict]]]:
    """Yield what can be made together: neighbours whose inputs have the same columns.

    A query is told of the first and the last partition, and would bring the rows between.
    One query over inputs of several kinds would give each partition the columns of all.
    """
    partitions = by_partition(settled)
    group: list[tuple[Step, Verdict]] = []
    before: tuple[object, ...] = ()
    for key in sorted(partitions, key=keys.index):
        known = tuple(
            (step.target.asset, facts.code_version, facts.described, facts.inputs)
            for step, _ in partitions[key]
            if (facts := step.facts) is not None
        )
        if group and before != (keys.index(key) - 1, *known):
            yield group
            group = []
        group.extend(partitions[key])
        before = (keys.index(key), *known)
    if group:
        yield group


def by_partition(
    settled: Iterable[tuple[Step, Verdict]],
) -> dict[PartitionKey, list[tuple[Step, Verdict]]]:
    """Return what is made for each partition, in the order of `settled`."""
    partitions: dict[PartitionKey, list[tuple[Step, Verdict]]] = {}
    for one in settled:
        partitions.setdefault(one[0].target.partition, []).append(one)
    return partitions


def share(seconds: float, steps: Collection[Step]) -> float:
    """Return what of the time of a task is each step's: partitions of a batch share it.

    Assets that one function returns do not: each took it all.
    """
    return seconds / len({step.target.partition for step in steps})
