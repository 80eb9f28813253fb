"""Play a page: write its files, apply its diffs, run its commands, compare what they print."""

import os
from itertools import zip_longest
from pathlib import Path

from tests.docs.documents import Block, blocks, patched, patched_path, with_outputs
from tests.docs.terminal import Terminal, is_same, normalised

IS_WRITING = os.environ.get("ASSETFLOW_GOLDEN") == "write"


def play(page: Path, terminal: Terminal) -> None:
    """Do in the terminal's folder all that `page` shows, in its order.

    With ASSETFLOW_GOLDEN=write the page gets the outputs that were found, but keeps those
    that say the same; else the first difference is an AssertionError.
    """
    text = page.read_text(encoding="utf-8")
    outputs = {}
    for block in blocks(text):
        if block.language == "console":
            outputs[block] = tuple(_play_console(page, block, terminal))
        elif block.language == "diff":
            target = terminal.folder / patched_path(block.text)
            target.write_text(patched(target.read_text("utf-8"), block.text), "utf-8")
        elif block.path:
            _write(terminal.folder / block.path, block.text)
    if IS_WRITING:
        page.write_text(with_outputs(text, outputs), encoding="utf-8")


def _play_console(page: Path, block: Block, terminal: Terminal) -> list[str]:
    outputs = []
    commands = block.commands
    for command, following in zip_longest(commands, commands[1:]):
        found = terminal.run(command.text)
        assert "Traceback" not in found, f"{page.name}:{block.line}: $ {command.text}\n{found}"
        same = is_same(command.text, command.output, found)
        if not same and not IS_WRITING:
            raise AssertionError(_difference(page, block, command.text, command.output, found))
        outputs.append(command.output if same else found)
        # A failure that is meant shows its exit code, so that no other slips into a page.
        is_meant = following is not None and following.text == "echo $?"
        assert not terminal.returned or is_meant, f"{page.name}: $ {command.text}\n{found}"
    return outputs


def _difference(page: Path, block: Block, command: str, expected: str, found: str) -> str:
    expected, found = ("\n".join(normalised(text)) for text in (expected, found))
    return (
        f"{page.name}:{block.line}: $ {command}\n"
        f"--- the page says\n{expected}\n--- the command prints\n{found}\n"
        "ASSETFLOW_GOLDEN=write rewrites the page."
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
