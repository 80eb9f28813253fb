"""Shared clients and connections: made once a run, when the first step asks for one."""

import contextlib
import inspect
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from assetflow.model.asset import Asset, PythonBody, Resource
from assetflow.model.config import Config


@dataclass(slots=True)
class Resources:
    """What assets take beside data. `configs` are by asset or resource, and parameter.

    A resource that is a generator function is made up to its `yield`; the rest runs
    when the run is over.
    """

    declared: Mapping[str, Resource]
    configs: Mapping[tuple[str, str], Config]
    _made: dict[str, Any] = field(default_factory=dict)
    _guard: threading.RLock = field(default_factory=threading.RLock)
    _open: list[tuple[str, AbstractContextManager[Any]]] = field(default_factory=list)

    def arguments(self, asset: Asset) -> dict[str, Any]:
        """Return the configs and resources that the function of `asset` takes, by parameter."""
        body = asset.body
        assert isinstance(body, PythonBody)
        configs = {name: self.configs[asset.name, name] for name in body.configs}
        return configs | {name: self._resource(name) for name in body.resources}

    def close(self, say: Callable[[str], object]) -> None:
        """Run what generator resources have behind their `yield`, the last made first.

        What goes wrong there is said; it undoes nothing of what was made.
        """
        while self._open:
            name, opening = self._open.pop()
            try:
                opening.__exit__(None, None, None)
            except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - user code
                why = "".join(traceback.format_exception_only(error)).strip()
                say(f"The resource '{name}' could not be closed: {why}")
        self._made.clear()

    def _resource(self, name: str) -> Any:
        with self._guard:
            if name not in self._made:
                self._made[name] = self._make(self.declared[name])
            return self._made[name]

    def _make(self, resource: Resource) -> Any:
        configs = {name: self.configs[resource.name, name] for name in resource.configs}
        if inspect.isgeneratorfunction(resource.make):
            opening = contextlib.contextmanager(resource.make)(**configs)
            made = opening.__enter__()
            self._open.append((resource.name, opening))
            return made
        return resource.make(**configs)
