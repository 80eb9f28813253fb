"""Text as a user reads it, kept in files; ASSETFLOW_GOLDEN=write writes them anew."""

import os
from pathlib import Path

from rich.console import Console

FOLDER = Path(__file__).parent


def assert_golden(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("ASSETFLOW_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.is_file(), f"{path} is missing: ASSETFLOW_GOLDEN=write makes it"
    assert text == path.read_text("utf-8")


def rendered(page, width: int) -> str:
    """Return a page as a terminal of `width` columns without colours shows it."""
    console = Console(
        width=width, color_system=None, force_terminal=False, highlight=False, markup=False,
        emoji=False, legacy_windows=False,
    )  # fmt: skip
    with console.capture() as captured:
        console.print(page)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return "\n".join(lines) + "\n"
