"""How the partitions of one asset look: what is declared, what is there, what is missing."""

from rich.console import RenderableType
from rich.text import Text

from assetflow.planning.pages import PartitionsPage
from assetflow.report.palette import columns, faint
from assetflow.report.partition_ranges import ranges_text
from assetflow.report.words import counted, size

MOST_SHOWN = 12


def partitions_table(page: PartitionsPage) -> RenderableType:
    """Return what is declared, and the ranges that are published and missing."""
    table = columns(("fact", "value"), folds=["value"], header=False)
    table.add_row(faint("declared"), Text(f"{page.definition}: {counted(page.count, 'partition')}"))
    found = {
        "published": (page.published, page.published_count),
        "missing": (page.missing, page.missing_count),
        "obsolete": (page.obsolete, len(page.obsolete)),
    }
    for name, (ranges, count) in found.items():
        if ranges:
            text = ranges_text([str(one) for one in ranges], count, MOST_SHOWN)
            table.add_row(faint(name), Text(text))
    if page.files:
        text = f"{size(page.size_bytes)} in {counted(page.files, 'file')}"
        table.add_row(faint("stored"), Text(text))
    return table
