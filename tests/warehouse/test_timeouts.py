"""Queries are interrupted while their time is over, and not after they are."""

import threading

from assetflow.warehouse.timeouts import timeout


class Connection:
    """Stands for one of DuckDB's: an interrupt takes as long as it may."""

    def __init__(self) -> None:
        self.begun, self.left = threading.Event(), threading.Event()
        self.came_late: bool | None = None

    def interrupt(self) -> None:
        self.begun.set()
        self.came_late = self.left.wait(0.2)


def test_what_is_asked_next_is_not_interrupted():
    connection = Connection()

    with timeout(connection, 0.01, TimeoutError):
        connection.begun.wait(10)
    connection.left.set()

    assert connection.came_late is False
