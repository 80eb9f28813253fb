"""Carry out tasks on threads, each when those it waits on are done. It decides nothing."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

LOOK_UP_SECONDS = 0.1

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")


@dataclass(slots=True)
class Schedule(Generic[T, R]):
    """Tasks in order, what each waits on, and what is done with each.

    `work` runs on a thread; `on_start` and `on_done` on the thread of `run`. When
    `should_stop` says so, what has not begun is given to `leave` instead of `work`.
    """

    tasks: Sequence[T]
    waits_on: Mapping[T, Sequence[T]]
    work: Callable[[T], R]
    leave: Callable[[T], R]
    on_start: Callable[[T], None]
    on_done: Callable[[T, R], None]
    should_stop: Callable[[], bool]
    _open: dict[T, int] = field(default_factory=dict)
    _followers: dict[T, list[T]] = field(default_factory=dict)
    _ready: list[T] = field(default_factory=list)
    _running: dict[Future[R], T] = field(default_factory=dict)
    _told: set[T] = field(default_factory=set)

    def run(self, threads: int) -> None:
        """Carry out all tasks on at most `threads` threads; return when none is left.

        Tasks that are ready begin in their order. An error in `work` is raised here,
        after what runs has ended.
        """
        self._count()
        with ThreadPoolExecutor(threads, thread_name_prefix="assetflow") as pool:
            while self._ready or self._running:
                self._begin(pool, threads)
                self._tell_started(threads)
                done, _ = wait(self._running, LOOK_UP_SECONDS, return_when=FIRST_COMPLETED)
                for future in [one for one in self._running if one in done]:
                    self._end(self._running.pop(future), future.result())

    def _count(self) -> None:
        for task in self.tasks:
            waits = self.waits_on.get(task, ())
            self._open[task] = len(waits)
            for other in waits:
                self._followers.setdefault(other, []).append(task)
        self._ready = [task for task in reversed(self.tasks) if not self._open[task]]

    def _begin(self, pool: ThreadPoolExecutor, threads: int) -> None:
        """Submit what is ready, with a few beyond the threads so that none is ever idle."""
        while self._ready and self.should_stop():
            task = self._ready.pop()
            self._end(task, self.leave(task))
        while self._ready and len(self._running) < threads + 2:
            task = self._ready.pop()
            self._running[pool.submit(self.work, task)] = task

    def _tell_started(self, threads: int) -> None:
        """Say which of the submitted tasks have a thread by now: the first ones.

        When it should stop, what gets a thread now does not begin any more.
        """
        if self.should_stop():
            return
        for task in list(self._running.values())[:threads]:
            if task not in self._told:
                self._told.add(task)
                self.on_start(task)

    def _end(self, task: T, result: R) -> None:
        self.on_done(task, result)
        for follower in reversed(self._followers.get(task, ())):
            self._open[follower] -= 1
            if not self._open[follower]:
                self._ready.append(follower)
