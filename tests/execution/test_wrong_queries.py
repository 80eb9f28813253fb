"""Queries that do not fit their inputs: each is said with its own file."""

import pytest

from assetflow import api
from assetflow.errors import ProjectErrors
from tests.small_project import shop


def test_queries_of_one_text_are_each_named_by_their_own_file(tmp_path):
    wrong = "select nothing from clean\n"
    project = shop(tmp_path, **{"shop/first.sql": wrong, "shop/second.sql": wrong})

    with pytest.raises(ProjectErrors) as raised:
        api.plan(project.load())

    said = str(raised.value)
    assert said.count("shop/first.sql") == said.count("shop/second.sql") == 1
