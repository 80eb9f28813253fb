"""The tutorial is the example project, step by step, with what a terminal shows."""

import shutil

import pytest

from tests.docs.documents import DOCS
from tests.docs.play import play
from tests.docs.terminal import REPOSITORY, Terminal

MADE = shutil.ignore_patterns(".assetflow", "data", "__pycache__")


@pytest.mark.parametrize(
    "name", ["tutorial", "tutorial-partitions", "tutorial-checks", "tutorial-freshness"]
)
def test_each_step_of_the_tutorial_prints_what_the_page_says(name, tmp_path):
    project = tmp_path / "example_project"
    shutil.copytree(REPOSITORY / "example_project", project, ignore=MADE)

    play(DOCS / f"{name}.md", Terminal(project, tmp_path / "home"))
