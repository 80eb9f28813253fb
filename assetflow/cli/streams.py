"""Standard output: for all that is printed, or for one JSON document and nothing else."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STDOUT, STDERR = 1, 2

Write = Callable[[str], None]


def prepare_streams() -> None:
    """Write what the terminal's encoding lacks as a question mark, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def discard_output() -> None:
    """Send what is still written to standard output nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)


def write_text(text: str) -> None:
    """Write `text` to standard output, unless nobody reads it any more."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


@contextmanager
def only_a_document() -> Iterator[Write]:
    """Give a function that writes to standard output; all else written there goes to stderr.

    Else what user code prints, in processes of its own as well, would mix with the document.
    """
    sys.stdout.flush()
    kept, python_stdout = os.dup(STDOUT), sys.stdout
    os.dup2(STDERR, STDOUT)
    sys.stdout = sys.stderr
    try:
        yield lambda text: _write_all(kept, text.encode("utf-8", "replace"))
    finally:
        sys.stdout = python_stdout
        os.dup2(kept, STDOUT)
        os.close(kept)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    with suppress(BrokenPipeError):
        while rest:
            rest = rest[os.write(descriptor, rest) :]
