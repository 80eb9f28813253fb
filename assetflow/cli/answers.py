"""What a command answers: a value, and how it reads as a document and as a page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value with its two faces; only the one that is asked for is made.

    A page is a rich renderable; one that is a `str` is printed as it is, neither wrapped
    nor coloured.
    """

    value: T
    document: Callable[[T], object]
    page: Callable[[T], object]
    exit_code: int = 0
