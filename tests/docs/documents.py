"""The fenced blocks of a Markdown page, and how a page is written with other outputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

_FENCE = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_HUNK = re.compile(r"^@@.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """One command as typed (continued lines joined by newlines) and what it printed."""

    text: str
    output: str


@dataclass(frozen=True)
class Block:
    """One fenced block: ```language path. `start` and `end` enclose its text in the page."""

    language: str
    path: str
    text: str
    line: int
    start: int
    end: int

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a console block: `$ ` begins one, `> ` goes on with it."""
        if self.language != "console":
            return ()
        found: list[Command] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:], ""))
            elif line.startswith("> ") and found and not found[-1].output:
                found[-1] = Command(f"{found[-1].text}\n{line[2:]}", "")
            elif found:
                found[-1] = Command(found[-1].text, f"{found[-1].output}{line}\n")
            else:
                raise AssertionError(f"line {self.line}: output before the first command")
        return tuple(found)


def blocks(page: str) -> tuple[Block, ...]:
    """Return the fenced blocks of a page, in order."""
    return tuple(
        Block(
            language=found[1],
            path=found[2] or "",
            text=found[3],
            line=page.count("\n", 0, found.start()) + 1,
            start=found.start(3),
            end=found.end(3),
        )
        for found in _FENCE.finditer(page)
    )


def code_in(page: str) -> str:
    """Return all that a page sets as code: its blocks, and its code spans line by line."""
    prose = _FENCE.sub("", page)
    return "\n".join([*(block.text for block in blocks(page)), *_CODE_SPAN.findall(prose)])


def with_outputs(page: str, outputs: Mapping[Block, tuple[str, ...]]) -> str:
    """Return the page with these outputs behind the commands of each console block."""
    for block in sorted(outputs, key=lambda block: block.start, reverse=True):
        pairs = zip(block.commands, outputs[block], strict=True)
        text = "".join(_typed(command.text) + output for command, output in pairs)
        page = page[: block.start] + text + page[block.end :]
    return page


def _typed(command: str) -> str:
    return "$ " + command.replace("\n", "\n> ") + "\n"


def patched(text: str, diff: str) -> str:
    """Return `text` with the hunks of `diff` applied; each must fit at exactly one place."""
    for hunk in _HUNK.split(diff)[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if line[0] in " -")
        after = "".join(line[1:] or "\n" for line in lines if line[0] in " +")
        if text.count(before) != 1:
            raise AssertionError(f"fits at {text.count(before)} places:\n{hunk}")
        text = text.replace(before, after)
    return text


def patched_path(diff: str) -> str:
    """Return which file a diff is about: the path in its `+++` line."""
    return re.findall(r"^\+\+\+ (\S+)$", diff, re.MULTILINE)[0]
