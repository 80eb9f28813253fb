"""What becomes of environments, as publications to be journaled. Pure over pointers.

An environment is nothing but its pointers: it comes into being with the first one and
is gone with the last. `request` says who publishes, where and when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from assetflow.errors import VersionsRemoved
from assetflow.metadata.recall import Pointer
from assetflow.metadata.records import PublicationChange, Published
from assetflow.model.names import AssetPartition, RunId

Pointers = Mapping[AssetPartition, Pointer]


@dataclass(frozen=True, slots=True)
class Request:
    """A publication that is about to be made, without its changes."""

    publication: str
    run: RunId
    environment: str
    published_at: datetime

    def with_changes(self, changes: Iterable[PublicationChange]) -> Published:
        """Return the publication that makes `changes`."""
        moves = tuple(changes)
        return Published(self.publication, self.run, self.environment, self.published_at, moves)


def create(request: Request, source: Pointers) -> Published:
    """Return the publication that starts an environment with all that `source` serves.

    Its comparisons hold only while the environment has no pointers of its own.
    """
    return promote(request, source, {})


def promote(
    request: Request, source: Pointers, target: Pointers, *, withdraw: bool = False
) -> Published:
    """Return the publication by which `target` comes to serve what `source` serves.

    What `target` alone serves stays, or is withdrawn if `withdraw`.
    """
    _check_present(request.environment, source)
    moved = [
        _moved(place, target.get(place), pointer)
        for place, pointer in sorted(source.items())
        if not _is_same(target.get(place), pointer)
    ]
    alone = {place: target[place] for place in target.keys() - source.keys()}
    return request.with_changes([*moved, *(_withdrawals(alone) if withdraw else ())])


def rollback(request: Request, earlier: Pointers, current: Pointers) -> Published:
    """Return the publication that makes `current` what it was in the state `earlier`."""
    return promote(request, earlier, current, withdraw=True)


def delete(request: Request, current: Pointers) -> Published:
    """Return the publication that withdraws all that the environment serves."""
    return request.with_changes(_withdrawals(current))


def _check_present(environment: str, pointers: Pointers) -> None:
    removed = [place for place, pointer in pointers.items() if pointer.is_removed]
    if removed:
        raise VersionsRemoved(environment, removed)


def _is_same(one: Pointer | None, other: Pointer) -> bool:
    return one is not None and (one.version, one.materialization) == (
        other.version,
        other.materialization,
    )


def _moved(place: AssetPartition, old: Pointer | None, new: Pointer) -> PublicationChange:
    expected = old.sequence if old else 0
    return PublicationChange(*place, expected, new.version, new.materialization)


def _withdrawals(pointers: Pointers) -> list[PublicationChange]:
    return [
        PublicationChange(*place, pointer.sequence, None, None)
        for place, pointer in sorted(pointers.items())
    ]
