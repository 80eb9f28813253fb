"""Ages in a few words: instants, policies, sources that were seen and assets that were made."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from assetflow.model.freshness import Freshness, FreshnessPolicy
from assetflow.model.names import AssetName, VersionId
from assetflow.planning.data_time import AgeHistory, Making, StateSeen, VersionsRead


def at(text: str, zone: str = "UTC") -> datetime:
    """Return an instant: "2026-01-05 07:00", or of January "05 07:00"."""
    whole = text if text[2:3] != " " else f"2026-01-{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def policy(**said) -> FreshnessPolicy:
    seconds = {
        key: _seconds(value) if key in ("max_lag", "warn_lag", "within") else value
        for key, value in said.items()
    }
    return Freshness(**seconds).frozen()


def _seconds(text: str) -> float:
    from assetflow.model.durations import parse_duration

    return parse_duration(text)


def seen(source: str, state: str, newest: str | None, seen_at: str = "01 00:00") -> StateSeen:
    return StateSeen(
        AssetName(source), VersionId(state), at(seen_at), None if newest is None else at(newest)
    )


def made(
    asset: str,
    version: str,
    when: str,
    reads: dict[str, str | tuple[str, ...]] | None = None,
    **more,
) -> Making:
    """Return what was made and published `when`, of the versions in `reads`."""
    return Making(
        AssetName(asset),
        VersionId(version),
        at(when),
        at(more.pop("published", when)),
        tuple(
            VersionsRead(
                AssetName(name),
                tuple(map(VersionId, (one,) if isinstance(one, str) else one)),
            )
            for name, one in (reads or {}).items()
        ),
        **more,
    )


def history(*records: Making | StateSeen, ageing=None, **current) -> AgeHistory:
    """Return what is remembered; `current` are versions by asset, else each one's newest."""
    makings = [one for one in records if isinstance(one, Making)]
    newest = {one.asset: (one.version,) for one in makings}
    newest |= {one.source: (one.state,) for one in records if isinstance(one, StateSeen)}
    newest |= {name: tuple(versions) for name, versions in current.items()}
    return AgeHistory(
        makings, [one for one in records if isinstance(one, StateSeen)], newest, ageing or {}
    )
