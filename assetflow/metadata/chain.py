"""The events of the audit trail, chained: each hash covers the one before. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from assetflow.metadata.encoding import instant_text, text_of
from assetflow.metadata.records import EventHappened, Published, RunFinished, RunStarted
from assetflow.model.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as the store keeps it, with its place in the chain."""

    number: int
    event: str
    happened_at: str
    kind: str
    run: str | None
    environment: str
    asset: str | None
    detail: str
    hash: str


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first event of the trail that does not follow from the one before."""

    number: int
    event: str
    why: str


def chained(events: Iterable[EventHappened], number: int, last_hash: str) -> tuple[EventRow, ...]:
    """Return `events` as rows that follow the event `number`, whose hash is `last_hash`."""
    rows = []
    for event in events:
        number += 1
        content = (
            event.event,
            instant_text(event.happened_at),
            event.kind,
            event.run,
            event.environment,
            event.asset,
            text_of(event.detail),
        )
        last_hash = link(last_hash, number, content)
        rows.append(EventRow(number, *content, last_hash))
    return tuple(rows)


def link(previous_hash: str, number: int, content: tuple[str | None, ...]) -> str:
    """Return the hash of the event `number` that says `content`, behind `previous_hash`."""
    return fingerprint(previous_hash, text_of((number, *content)))


def first_broken(rows: Iterable[EventRow]) -> BrokenLink | None:
    """Return the first of `rows`, which start with the first event, that breaks the chain."""
    last_hash = ""
    for expected, row in enumerate(rows, 1):
        if row.number != expected:
            return BrokenLink(expected, "", f"event {expected} is missing")
        content = (row.event, row.happened_at, row.kind, row.run, row.environment)
        last_hash = link(last_hash, row.number, (*content, row.asset, row.detail))
        if row.hash != last_hash:
            return BrokenLink(row.number, row.event, "its content was changed")
    return None


def event_of(record: RunStarted | RunFinished) -> EventHappened:
    """Return the event that a run's start or end is."""
    detail: tuple[tuple[str, str], ...]
    if isinstance(record, RunStarted):
        detail = (("command", record.command), ("user", record.user), ("host", record.host))
        at, kind, environment = record.started_at, "run_started", record.environment
    else:
        detail = (("status", record.status), *((name, str(n)) for name, n in record.counts))
        at, kind, environment = record.finished_at, "run_finished", ""
    event = fingerprint(kind, record.run)[:16]
    return EventHappened(event, at, kind, record.run, environment, None, detail)


def publication_event(published: Published, why_refused: str = "") -> EventHappened:
    """Return the event that a publication is, refused or not."""
    count = ("count", str(len(published.changes)))
    why = (("why", why_refused),) if why_refused else ()
    detail = (("publication", published.publication), count, *why)
    kind = "publication_refused" if why_refused else "published"
    event = fingerprint(kind, published.publication)[:16]
    instant, environment = published.published_at, published.environment
    return EventHappened(event, instant, kind, published.run, environment, None, detail)
