"""Which reads of the outside are found in a function and what it reaches."""

import pytest

from tests.project.small_packages import close

IMPORTS = """
    import builtins, datetime as dt, io, os, random, socket, subprocess, time, uuid
    import urllib.parse, urllib.request
    import numpy as np, pandas as pd, duckdb
    from datetime import date, datetime
    from os import environ, getenv as read_variable
    from pathlib import Path
    from random import random as chance
    from shop.helpers import clean

    def made(orders, now=datetime(2026, 1, 1)):
        return {}
"""

FOUND = {
    "open(orders)": "open()",
    "builtins.open(orders)": "open()",
    "map(open, orders)": "open()",
    "[line for order in orders for line in open(order)]": "open()",
    "(lambda: open(orders))()": "open()",
    "io.open(orders)": "io.open()",
    "Path(orders).read_text()": "Path.read_text()",
    "orders.open()": "Path.open()",
    "Path.cwd()": "Path.cwd()",
    "os.environ['HOME']": "os.environ",
    "os.environ.get('HOME')": "os.environ",
    "environ": "os.environ",
    "read_variable('HOME')": "os.getenv()",
    "os.listdir(orders)": "os.listdir()",
    "datetime.now()": "datetime.now()",
    "dt.datetime.utcnow()": "datetime.utcnow()",
    "date.today()": "date.today()",
    "pd.Timestamp.now()": "pandas.Timestamp.now()",
    "time.time_ns()": "time.time_ns()",
    "chance()": "random.random()",
    "random.choice(orders)": "random.choice()",
    "random.Random()": "random.Random()",
    "np.random.rand(3)": "numpy.random.rand()",
    "np.random.default_rng().normal()": "numpy.random.default_rng()",
    "uuid.uuid4()": "uuid.uuid4()",
    "socket.socket()": "socket.socket()",
    "subprocess.run(orders)": "subprocess.run()",
    "urllib.request.urlopen(orders)": "urllib.request.urlopen()",
    "pd.read_csv(orders)": "pandas.read_csv()",
    "duckdb.sql(orders)": "duckdb.sql()",
    "duckdb.connect()": "duckdb.connect()",
}

NOT_FOUND = [
    "clean(orders)",
    "datetime(2026, 1, 1)",
    "datetime.fromisoformat(orders)",
    "dt.timedelta(1)",
    "random.Random(42).random()",
    "np.random.default_rng(7).normal()",
    "np.sum(orders)",
    "urllib.parse.quote(orders)",
    "time.sleep(0)",
    "uuid.UUID(orders)",
    "pd.DataFrame(orders)",
    "os.path.join(orders, 'a')",
    "(lambda open: open(orders))(len)",
    "'open()'",
]


@pytest.mark.parametrize(("code", "what"), FOUND.items(), ids=FOUND)
def test_a_read_of_the_outside_is_found_whatever_its_name(code, what, tmp_path):
    found = close(tmp_path, {"marts.py": IMPORTS.replace("{}", code)})

    assert [read.what for read in found.outside] == [what]
    assert found.outside[0].by == "shop.marts.made"
    assert found.outside[0].place == "shop/marts.py:12"


@pytest.mark.parametrize("code", NOT_FOUND)
def test_what_stays_inside_is_not_named(code, tmp_path):
    assert not close(tmp_path, {"marts.py": IMPORTS.replace("{}", code)}).outside


def test_imports_inside_the_function_and_helpers_are_looked_at_too(tmp_path):
    code = """
        from shop import files
        class Reader:
            def read(self, path):
                import requests as r
                return r.get(path)
        def made(orders):
            from glob import glob as find
            return find("*"), files.read(orders), Reader()
    """
    helper = "import os\n\ndef read(path):\n    return os.stat(path)\n"

    found = close(tmp_path, {"marts.py": code, "files.py": helper})

    assert [(str(read), read.by) for read in found.outside] == [
        ("glob.glob() at shop/marts.py:9", "shop.marts.made"),
        ("os.stat() at shop/files.py:4", "shop.files.read"),
        ("requests.get() at shop/marts.py:6", "shop.marts.Reader"),
    ]


def test_each_way_of_reading_is_named_once_where_it_is_first(tmp_path):
    code = """
        def made(orders):
            a = open(orders)
            b = open(orders)
            return open, a, b
    """

    assert [str(read) for read in close(tmp_path, {"marts.py": code}).outside] == [
        "open() at shop/marts.py:3"
    ]
