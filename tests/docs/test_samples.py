"""Each page with samples is a small project: its files are written and its commands run."""

import pytest

from tests.docs.documents import DOCS, PAGES, blocks
from tests.docs.play import play
from tests.docs.terminal import Terminal

PLAYED = [
    page
    for page in PAGES
    if not page.name.startswith("tutorial")
    and any(block.path or block.language == "console" for block in blocks(page.read_text("utf-8")))
]


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_the_project_of_a_page_does_what_the_page_says(page, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()

    play(page, Terminal(folder, tmp_path / "home"))


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_no_file_of_a_page_is_written_without_a_command_after_it(page):
    last = [block for block in blocks(page.read_text("utf-8")) if block.path or block.commands][-1]

    assert last.language == "console"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_sample_is_a_file_of_the_project_of_its_page(page):
    """So that each of them is run."""
    loose = [
        block.line
        for block in blocks(page.read_text("utf-8"))
        if block.language in ("sql", "toml", "python", "csv") and not block.path
    ]

    assert not loose


def test_every_page_is_reached_from_the_index():
    index = (DOCS / "index.md").read_text("utf-8")

    unlinked = [page.name for page in DOCS.glob("*.md") if f"({page.name}" not in index]

    assert unlinked == ["index.md"]
