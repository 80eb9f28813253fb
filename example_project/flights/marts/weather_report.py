"""The answer as something to send around: a page and a chart."""

from pathlib import Path
from typing import Annotated

import polars as pl

from assetflow import AssetContext, Columns, asset

WEATHERS = ("low visibility", "heavy rain", "light rain", "strong wind", "dry frost")
BAR_HEIGHT, PIXELS_PER_MINUTE, LEFT = 22, 7, 190


@asset(group="marts", owners=["team:operations"], tags=["published"])
def weather_report(
    carrier_ranking: pl.DataFrame,
    storm_days: Annotated[pl.DataFrame, Columns("flight_date", "cancelled", "flights")],
    context: AssetContext,
) -> Path:
    """A page, report.md, and a chart, low_visibility.svg."""
    folder = context.path("report")
    folder.mkdir()
    folder.joinpath("report.md").write_text(_page(carrier_ranking, storm_days), encoding="utf-8")
    folder.joinpath("low_visibility.svg").write_text(_chart(carrier_ranking), encoding="utf-8")
    context.report(carriers=carrier_ranking["carrier"].n_unique())
    return folder


def _page(ranking: pl.DataFrame, days: pl.DataFrame) -> str:
    worst = days.sort("cancelled", descending=True).select("flight_date", "cancelled", "flights")
    day, cancelled, flights = worst.row(0)
    lines = [
        "# Which weather delays which carrier?",
        "",
        "Minutes over what the same carrier needs at the same airport and hour in fair weather.",
        "",
        f"| Carrier | {' | '.join(WEATHERS)} |",
        f"| --- |{' ---: |' * len(WEATHERS)}",
        *_table(ranking),
        "",
        "![Delay in low visibility](low_visibility.svg)",
        "",
        f"The worst day was {day}: {cancelled} of {flights} flights never left.",
        "",
    ]
    return "\n".join(lines)


def _table(ranking: pl.DataFrame) -> list[str]:
    cells = {
        (carrier, weather): str(minutes)
        for carrier, weather, minutes in ranking.select(
            "carrier_name", "weather", "excess_minutes"
        ).iter_rows()
    }
    carriers = sorted({carrier for carrier, _ in cells})
    return [
        f"| {carrier} | {' | '.join(cells.get((carrier, kind), '') for kind in WEATHERS)} |"
        for carrier in carriers
    ]


def _chart(ranking: pl.DataFrame) -> str:
    """Return a bar chart of the delay in low visibility as SVG."""
    rows = ranking.filter(pl.col("weather") == WEATHERS[0]).sort("place")
    bars = [
        _bar(line, name, float(minutes))
        for line, (name, minutes) in enumerate(
            rows.select("carrier_name", "excess_minutes").iter_rows()
        )
    ]
    height = BAR_HEIGHT * len(bars) + 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="{height}"'
    return "\n".join([f'{head} font-family="sans-serif" font-size="13">', *bars, "</svg>", ""])


def _bar(line: int, name: str, minutes: float) -> str:
    top = line * BAR_HEIGHT + 5
    width = round(max(minutes, 0) * PIXELS_PER_MINUTE)
    return (
        f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{name}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{width}" height="{BAR_HEIGHT - 5}" fill="#4c78a8"/>'
        f'<text x="{LEFT + width + 6}" y="{top + 14}">{minutes}</text>'
    )
