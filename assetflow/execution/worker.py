"""A step in a process of its own: a small value goes out, a small value comes back."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from assetflow.errors import AssetflowError, StepError, StepTimedOut, WorkerDied
from assetflow.execution.capture import captured, routed_streams
from assetflow.execution.compute import Call, Means, scratch_folder, stage_call
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
    metadata: tuple[tuple[str, str], ...] = ()
    output: str = ""
    error: tuple[str, tuple[tuple[str, str], ...], str] | None = None


_ORDER = TypeAdapter(Order)
_ANSWER = TypeAdapter(Answer)


def call_in_process(
    asset: Asset, call: Call, place: Place, ending: Ending, sink: io.StringIO
) -> tuple[dict[int, list[Staged]], tuple[tuple[str, str], ...]]:
    """Make the call in a new process, ended if it takes longer than it may, or with the run."""
    order = _ORDER.dump_json(Order(place.root, place.environment, call))
    command = [sys.executable, "-m", "assetflow.execution.worker"]
    pipe = subprocess.PIPE
    with (
        scratch_folder(call.scratch),
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process,  # noqa: S603 - our own interpreter and module
    ):
        try:
            out, err = _communicated(process, order, asset, ending)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise WorkerDied(asset.name, process.returncode, err.decode(errors="replace"))
    given = _ANSWER.validate_json(out)
    sink.write(given.output)
    if given.error is not None:
        headline, facts, hint = given.error
        raise StepError(headline, dict(facts), hint)
    return {place: list(made) for place, made in given.staged}, given.metadata


def _communicated(
    process: subprocess.Popen[bytes], order: bytes, asset: Asset, ending: Ending
) -> tuple[bytes, bytes]:
    """Return what `process` wrote to its output and for errors; raises StepTimedOut, Cancelled."""
    seconds = asset.options.timeout_seconds
    until = time.monotonic() + (seconds or 0.0)
    given: bytes | None = order
    while True:
        left = LOOK_UP_SECONDS if seconds is None else until - time.monotonic()
        try:
            return process.communicate(given, timeout=max(0.0, min(left, LOOK_UP_SECONDS)))
        except subprocess.TimeoutExpired:
            given = None
            if ending.has_come:
                raise Cancelled from None
            if seconds is not None and time.monotonic() >= until:
                raise StepTimedOut(asset.name, seconds) from None


def answer(order: Order) -> Answer:
    """Load the project, make the call, and tell what came of it."""
    settings = read_settings(order.root)
    declared = load_declarations(order.root, settings, order.environment, os.environ)
    asset = next(asset for asset in declared.assets if asset.name == order.call.asset)
    configs = taken_configs(declared, os.environ, reads_secrets=True)
    resources = Resources({one.name: one for one in declared.resources}, configs)
    macros = [macro.sql for macro in declared.macros]
    temp = order.root / settings.state / "tmp"
    with (
        Engine(settings.threads, settings.memory_limit, temp, settings.timezone, macros) as engine,
        captured() as sink,
        contextlib.ExitStack() as ending,
    ):
        ending.callback(resources.close, sink.write)
        try:
            means = Means(engine, resources, order.root)
            staged, metadata = stage_call(asset, order.call, means, sink)
        except AssetflowError as error:
            facts = tuple((name, str(value)) for name, value in error.facts.items())
            return Answer(output=sink.getvalue(), error=(error.headline, facts, error.hint))
    made = tuple((place, tuple(versions)) for place, versions in staged.items())
    return Answer(made, metadata, sink.getvalue())


def _end_with(parent: int) -> None:
    """End this process when `parent` is gone: nobody waits for the answer any more."""
    while os.getppid() == parent:
        time.sleep(LOOK_UP_SECONDS)
    os._exit(1)


def main() -> None:
    """Answer the order on standard input; nothing else may reach standard output.

    Ctrl-C reaches the whole group of processes: what it means, the run decides.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    order = _ORDER.validate_json(sys.stdin.buffer.read())
    with routed_streams(), captured():
        given = answer(order)
    sys.stdout.buffer.write(_ANSWER.dump_json(given))


if __name__ == "__main__":
    main()
