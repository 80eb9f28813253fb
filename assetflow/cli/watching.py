"""A page that is made anew again and again, in its place on a terminal, until Ctrl-C."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from assetflow.cli.terminal import Terminal
from assetflow.errors import AssetflowError

T = TypeVar("T")
SECONDS = 5.0
NAPS = 20
"""In so many parts it sleeps between two looks: then a terminal of another size is drawn anew."""


def watch(
    console: Terminal,
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    nap: Callable[[], None] = lambda: time.sleep(SECONDS / NAPS),
) -> T:
    """Show what `look` gives as a `page`, after some naps anew; return what it gave last.

    A look that fails on a terminal, since another process has the store or a file is half
    written, is told and made again. In a pipe each page follows the one before, as long as
    somebody reads them.
    """
    show = _on_screen if console.is_terminal else _one_by_one
    seen = [look()]
    with suppress(KeyboardInterrupt):
        show(console, seen, look, page, nap)
    return seen[-1]


def _one_by_one(
    console: Terminal,
    seen: list[T],
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    nap: Callable[[], None],
) -> None:
    while True:
        console.print(page(seen[-1]), Text())
        if not console.is_read:
            return
        for _ in range(NAPS):
            nap()
        seen[:] = [look()]


def _on_screen(
    console: Terminal,
    seen: list[T],
    look: Callable[[], T],
    page: Callable[[T], RenderableType],
    nap: Callable[[], None],
) -> None:
    """Write over the lines that changed, on a screen of its own, so that nothing flickers.

    What is wrong stands above the page, which may be longer than the screen.
    """
    note = Text(f"Looked at every {SECONDS:.0f} seconds; Ctrl-C ends it.", style="dim")
    wrong: list[Text] = []
    with Live(Text(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(_Screen((note, *wrong, Text()), page(seen[-1])), refresh=True)
            _rest(console, live, nap)
            try:
                seen[:], wrong = [look()], []
            except AssetflowError as error:
                wrong = [Text(), Text(str(error), style="red")]


@dataclass(frozen=True, slots=True)
class _Screen:
    """A page, told how much room is left to it by what stands above."""

    above: tuple[Text, ...]
    page: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above = Group(*self.above)
        yield above
        height = options.height or console.height
        taken = len(console.render_lines(above, options.reset_height()))
        yield from console.render(self.page, options.update(height=max(height - taken, 1)))


def _rest(console: Terminal, live: Live, nap: Callable[[], None]) -> None:
    """Nap for a while, and draw anew what stands on a terminal that got another size."""
    for _ in range(NAPS):
        size = console.size
        nap()
        if console.size != size:
            live.refresh()
