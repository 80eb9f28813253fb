"""How pages are printed: to a terminal as they are, to a pipe as plain lines."""

import os
import sys

from rich.console import Console

from assetflow.cli.streams import discard_output, write_text

PIPE_WIDTH = 160


class Terminal(Console):
    """Standard output; a reader who leaves early (`| head`) stops the output, not the work."""

    is_read = True
    """Whether somebody still reads it, as far as is known."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from now on."""
        self.is_read = False
        discard_output()


def terminal() -> Terminal:
    """Return standard output as it is now: with a width of its own where it is a pipe.

    It stays that one when a run puts another in its place to keep what its steps print.
    """
    console = Terminal(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = PIPE_WIDTH
    return console


def print_page(page: object) -> None:
    """Print a page; a text as it is, and in a pipe without blanks at the ends of lines."""
    console = terminal()
    if not isinstance(page, str) and console.is_terminal:
        console.print(page)
        return
    if not isinstance(page, str):
        with console.capture() as captured:
            console.print(page)
        page = "\n".join(line.rstrip() for line in captured.get().splitlines())
    write_text(f"{page}\n")
