"""What a step prints and logs is kept with the step, also when steps run side by side."""

import contextvars
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

LONGEST_OUTPUT = 64 * 1024

_sink: contextvars.ContextVar[io.StringIO | None] = contextvars.ContextVar(
    "assetflow_output", default=None
)


class _Router(io.TextIOBase):
    """Stands where a standard stream was: a step's text goes to the step, the rest on."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        sink = _sink.get()
        return (self.stream if sink is None else sink).write(text)

    def flush(self) -> None:
        if _sink.get() is None:
            self.stream.flush()

    def isatty(self) -> bool:
        return _sink.get() is None and self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding


@contextmanager
def routed_streams() -> Iterator[None]:
    """Route standard output and error through the step at work, for as long as a run lasts."""
    output, error = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Router(output), _Router(error)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = output, error


@contextmanager
def captured() -> Iterator[io.StringIO]:
    """Collect what the code inside prints, on this thread and in its context."""
    sink = io.StringIO()
    token = _sink.set(sink)
    try:
        yield sink
    finally:
        _sink.reset(token)


def step_logger(name: str, sink: TextIO) -> logging.Logger:
    """Return a logger whose lines, from DEBUG up, stand among what the step prints."""
    logger = logging.Logger(name, logging.DEBUG)  # noqa: LOG001 - its own: threads share names
    handler = logging.StreamHandler(sink)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    return logger


def shortened(output: str, longest: int = LONGEST_OUTPUT) -> str:
    """Return `output`, without its middle if it is longer than `longest` characters."""
    if len(output) <= longest:
        return output
    half = longest // 2
    left_out = len(output) - 2 * half
    return f"{output[:half]}\n… {left_out:,} characters left out …\n{output[-half:]}"
