"""A step in a process of its own: a small value goes out, a small value comes back."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from assetflow.errors import AssetflowError, StepError, StepTimedOut, WorkerDied
from assetflow.execution.capture import captured, routed_streams
from assetflow.execution.compute import (
    NOTHING_TOLD,
    Call,
    Means,
    Told,
    scratch_folder,
    stage_call,
)
from assetflow.execution.locks import Cancelled
from assetflow.execution.resources import Resources
from assetflow.project.loading import load_declarations
from assetflow.project.settings import read_settings
from assetflow.project.taken_configs import taken_configs
from assetflow.warehouse.connection import Engine
from assetflow.warehouse.versions import Staged

if TYPE_CHECKING:
    from assetflow.execution.deadlines import Ending
    from assetflow.execution.gathering import Place
    from assetflow.model.asset import Asset

LOOK_UP_SECONDS = 0.5
STDOUT, STDERR = 1, 2


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is asked to do, in a project as it can load it itself."""

    root: Path
    environment: str
    call: Call


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker did: versions by the place of their output, or the error's parts."""

    staged: tuple[tuple[int, tuple[Staged, ...]], ...] = ()
    told: Told = NOTHING_TOLD
    error: tuple[str, tuple[tuple[str, str], ...], str] | None = None


_ORDER = TypeAdapter(Order)
_ANSWER = TypeAdapter(Answer)


def call_in_process(
    asset: Asset, call: Call, place: Place, ending: Ending, sink: io.StringIO
) -> tuple[dict[int, list[Staged]], Told]:
    """Make the call in a new process, ended if it takes longer than it may, or with the run."""
    order = _ORDER.dump_json(Order(place.root, place.environment, call))
    with scratch_folder(call.scratch):
        code, said = _answered(asset, order, ending, sink)
    if code != 0:
        raise WorkerDied(asset.name, code, last_line(sink.getvalue()))
    given = _ANSWER.validate_json(said)
    if given.error is not None:
        headline, facts, hint = given.error
        raise StepError(headline, dict(facts), hint)
    return {place: list(made) for place, made in given.staged}, given.told


def _communicate(
    process: subprocess.Popen[bytes], order: bytes, asset: Asset, ending: Ending
) -> None:
    """Give `process` its order and wait for its end; raises StepTimedOut, Cancelled."""
    seconds = asset.options.timeout_seconds
    until = time.monotonic() + (seconds or 0.0)
    given: bytes | None = order
    while True:
        left = LOOK_UP_SECONDS if seconds is None else until - time.monotonic()
        try:
            process.communicate(given, timeout=max(0.0, min(left, LOOK_UP_SECONDS)))
        except subprocess.TimeoutExpired:
            given = None
            if ending.has_come:
                raise Cancelled from None
            if seconds is not None and time.monotonic() >= until:
                raise StepTimedOut(asset.name, seconds, is_ended=True) from None
        else:
            return


def _answered(asset: Asset, order: bytes, ending: Ending, sink: io.StringIO) -> tuple[int, bytes]:
    """Return a worker's exit code and answer; what it prints goes to `sink`, however it ends.

    It leads a group of its own, which ends with it. Files take its answer and its output: a
    pipe stays open for as long as any process that the user's code started holds it.
    """
    command = [sys.executable, "-m", "assetflow.execution.worker", str(os.getpid())]
    with tempfile.TemporaryFile() as answered, tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=answered,
            stderr=printed,
            start_new_session=True,
        )
        try:
            _communicate(process, order, asset, ending)
        finally:
            _end_group(process)
            printed.seek(0)
            sink.write(printed.read().decode(errors="replace"))
        answered.seek(0)
        return process.returncode, answered.read()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a worker, if it still runs, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(output: str) -> str:
    """Return the last line of `output` that is not empty, or nothing."""
    return next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")


def answer(order: Order) -> Answer:
    """Load the project, make the call, and tell what came of it."""
    settings = read_settings(order.root)
    with routed_streams(), captured():
        declared = load_declarations(order.root, settings, order.environment, os.environ)
    asset = next(asset for asset in declared.assets if asset.name == order.call.asset)
    configs = taken_configs(declared, os.environ, reads_secrets=True)
    resources = Resources({one.name: one for one in declared.resources}, configs)
    macros = [macro.sql for macro in declared.macros]
    temp = order.root / settings.state / "tmp"
    with (
        Engine(settings.threads, settings.memory_limit, temp, settings.timezone, macros) as engine,
        contextlib.ExitStack() as ending,
    ):
        sink = sys.stderr
        ending.callback(resources.close, sink.write)
        try:
            means = Means(engine, resources, order.root)
            staged, told = stage_call(asset, order.call, means, sink)
        except AssetflowError as error:
            facts = tuple((name, str(value)) for name, value in error.facts.items())
            return Answer(error=(error.headline, facts, error.hint))
    made = tuple((place, tuple(versions)) for place, versions in staged.items())
    return Answer(made, told)


def _end_with(parent: int) -> None:
    """End this group of processes when `parent` is gone: nobody waits for the answer any more."""
    while os.getppid() == parent:
        time.sleep(LOOK_UP_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _print_to_stderr() -> int:
    """Let all that is printed go to standard error, and return a descriptor for the answer.

    By descriptors, so that it holds for what libraries in C and other processes print too.
    """
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    return kept


def main() -> None:
    """Answer the order on standard input, on what was standard output."""
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    kept = _print_to_stderr()
    order = _ORDER.validate_json(sys.stdin.buffer.read())
    given = _ANSWER.dump_json(answer(order))
    with os.fdopen(kept, "wb") as answered:
        answered.write(given)


if __name__ == "__main__":
    main()
