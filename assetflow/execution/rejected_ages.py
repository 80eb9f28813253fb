"""Where old data is not made newer because what was made of the same was rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assetflow.execution.ageing import Ager, KnownAges, lines_of
from assetflow.metadata.ages import rejected_reads
from assetflow.planning.attainable import attainable
from assetflow.planning.data_time import DataTime, VersionsRead, recency
from assetflow.planning.overdue import Bottleneck

if TYPE_CHECKING:
    from assetflow.model.names import AssetName
    from assetflow.planning.freshness_pages import FreshnessLine


def told_lines(ager: Ager, known: KnownAges, names: Iterable[AssetName]) -> Iterator[FreshnessLine]:
    """Yield how each of `names` stands against its policy, and what was rejected on its way.

    Of a past moment nobody knows that.
    """
    lines = tuple(lines_of(known, names))
    asked = dict.fromkeys(name for line in lines for name in _on_the_way(line, known))
    if not asked or ager.is_past:
        yield from lines
        return
    place = ager.place
    reads = rejected_reads(place.state, place.environment, known.keys, tuple(asked))
    best = attainable(known.ages, known.now)
    same = {name for name, read in reads.items() if _gives_the_same(known, best, name, read)}
    for line in lines:
        rejected = next((name for name in _on_the_way(line, known) if name in same), None)
        yield line if rejected is None else _held_by_checks(line, rejected)


def _on_the_way(line: FreshnessLine, known: KnownAges) -> Sequence[AssetName]:
    """Return the assets that would run for what is too old, or soon will be."""
    held = line.bottleneck
    if held is None or not held.run_helps or line.facts.status not in ("overdue", "due_soon"):
        return ()
    return [name for name in held.blamed if name in known.ages.upstreams]


def _gives_the_same(
    known: KnownAges,
    best: Mapping[AssetName, DataTime],
    name: AssetName,
    reads: Iterable[VersionsRead],
) -> bool:
    """Whether a run would make an asset of what its rejected version was made from."""
    if name in known.ages.volatile:
        return False
    current, ages = known.history.current, known.ages
    for upstream in ages.upstreams[name]:
        now = (ages.published if upstream in ages.upstreams else ages.seen).get(upstream)
        if now is None or recency(best.get(upstream, now)) > recency(now):
            return False
    return all(set(one.versions) == set(current.get(one.upstream, ())) for one in reads)


def _held_by_checks(line: FreshnessLine, rejected: AssetName) -> FreshnessLine:
    held = line.bottleneck
    assert held is not None
    text = (
        f"{rejected!r} was made of the newest data, and rejected by its checks:"
        f" see `assetflow check {rejected}` and `assetflow repair {rejected}`"
    )
    return replace(
        line, bottleneck=Bottleneck(held.path, run_helps=False, text=text, behind=rejected)
    )
