"""Fetch the names of the carriers, which come as messages."""

from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from assetflow import asset

INBOX = Path(__file__).parents[2] / "data" / "airlines"


@asset(
    group="staging",
    owners=["team:operations"],
    tags=["raw"],
    columns={"carrier": "VARCHAR", "name": "VARCHAR"},
    volatile=True,
)
def raw_airlines() -> pa.Table:
    """The names behind two letters, from the oldest message that waits.

    It is taken out of the inbox, unless it is the last: that one may be asked for again.
    """
    oldest, *others = sorted(INBOX.glob("*.csv"))
    names = csv.read_csv(oldest)
    if others:
        oldest.unlink()
    return names
