"""Which edits of a package change the code version of an asset, and which do not."""

import ast
import random
from dataclasses import dataclass
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetflow.errors import ValueCannotBeFingerprinted
from assetflow.model.fingerprint import fingerprint
from assetflow.project.closure import Closer
from tests.project.small_packages import HELPERS, close, imported


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new` in the package, and the code version of `made` changes or not."""

    id: str
    code: str
    old: str
    new: str
    changes: bool = True


PLAIN = """
    from shop.helpers import clean, RATE
    from shop import helpers

    def made(orders):
        '''All orders.'''
        total = 0
        for order in orders:  # each
            total += clean(order)
        return [total, "a", 1.0]
"""
CONSTANTS = """
    import re, datetime, decimal, pathlib, enum, uuid, collections
    VALUE = {}
    def made(): return VALUE
"""


def constant(before: str, after: str, *, changes: bool = True) -> Edit:
    code = CONSTANTS.replace("{}", before)
    return Edit(
        f"constant {before} to {after}", code, f"VALUE = {before}", f"VALUE = {after}", changes
    )


CLASS = """
    from dataclasses import dataclass
    from shop.helpers import clean, scaled, RATE

    class Meta(type):
        def __call__(cls, *args):
            return super().__call__(*args)

    class Base:
        RATE = 5
        def run(self):
            return clean(1)

    class Tool(Base, metaclass=Meta):
        '''A tool.'''
        size: int = 3
        @property
        def rate(self) -> float:
            '''Its rate.'''
            return self.RATE
        @staticmethod
        def fixed():
            return 7
        def chosen(self, by=RATE):
            return by

    def made(orders):
        return Tool().run()
"""
WRAPPED = """
    import functools

    def times(count):
        def around(function):
            @functools.wraps(function)
            def wrapper(*args):
                return [function(*args) for _ in range(count)]
            return wrapper
        return around

    @functools.lru_cache
    def cached(x):
        return x + 1

    @times(2)
    def doubled(x):
        return x + 10

    @functools.singledispatch
    def shown(x):
        return "any"

    @shown.register
    def _(x: int):
        return "int"

    partial = functools.partial(doubled, 4)

    def made(orders):
        return cached(1), doubled(2), shown(3), partial()
"""
DISPATCH = """
    from shop import helpers
    first = lambda x: x + 1; second = lambda x: x + 2
    CHOICES = {"clean": helpers.clean, "other": [first, second]}

    def made(kind):
        return CHOICES[kind](1)
"""
LOOP = """
    def make(rate, unused):
        def inner(x):
            return x * rate
        return inner

    one, two = make(1, 5), make(2, 6)

    def made(x):
        return one(x) + two(x)
"""
CLASSES = """
    import enum
    from collections import namedtuple
    from dataclasses import dataclass, field
    from typing import NamedTuple, Optional
    from pydantic import BaseModel
    from shop.helpers import clean

    class Colour(enum.Enum):
        RED = 1
        BLUE = 2

    class Point(NamedTuple):
        x: int
        y: int = 2

    Pair = namedtuple("Pair", ["a", "b"])
    Numbers = enum.Enum("Numbers", {"ONE": 1, "TWO": 2})

    @dataclass(frozen=True)
    class Line:
        start: Point
        width: int = field(default=1, compare=False)

    class Model(BaseModel):
        size: int = 3
        other: "Optional[Later]" = None
        def area(self):
            return self.size * 2

    class Later(BaseModel):
        name: str = "later"

    MODEL = Model(size=4)
    POINT = Point(1)
    LINE = Line(POINT)
    PAIR = Pair(1, 2)
    COLOUR = Colour.RED

    def made(orders):
        return MODEL, POINT, LINE, PAIR, COLOUR, Numbers
"""
INSIDE = """
    async def made(orders, kind="a", *, limit=2):
        from shop.helpers import clean as c
        from . import helpers as h
        import shop.helpers
        import math
        async for order in orders:
            yield c(order), h.scaled(order), shop.helpers.LIMITS, math.pi
"""
DECORATED = """
    from assetflow.model.declare import asset
    import functools
    OWNERS = ["team:a"]

    @asset(name="orders_made", owners=OWNERS)
    @functools.cache
    def made(orders, count: int = 3) -> list[dict]:
        return [count]
"""
PYDANTIC_CALL = """
    from pydantic import validate_call
    @validate_call
    def checked(x: int):
        return x
    def made(orders):
        return checked(3)
"""
CONFIG = """
    from assetflow.model.config import Config

    class Settings(Config):
        rate: int = 3
        def scaled(self):
            return self.rate * 2

    def made(orders, config: "Settings"):
        return config.scaled()
"""
SHADOWS = """
    from shop.helpers import RATE
    low, high = 1, 2

    def made(RATE, orders):
        low = [high for high in orders if (mid := high)]
        return low, mid
"""
SWAPPED = """
    from shop.helpers import clean as a, scaled as b
    def made(orders):
        return a(1) - b(1)
"""

EDITS = [
    # The function itself.
    Edit("a comment", PLAIN, "# each", "# one by one", False),
    Edit("a docstring", PLAIN, "All orders.", "The orders.", False),
    Edit(
        "formatting",
        PLAIN,
        "total += clean(order)",
        "total += (clean(\n                order ))",
        False,
    ),
    Edit("quotes", PLAIN, '"a"', "'a'", False),
    Edit("a blank line above", PLAIN, "def made", "\n\n    # A line.\n    def made", False),
    Edit("its name", PLAIN + "\n    del_ = 1", "del_ = 1", "made_too = made", False),
    Edit("an annotation", PLAIN, "made(orders)", "made(orders: list[int]) -> list", False),
    Edit("a local annotation", PLAIN, "total = 0", "total: int = 0", False),
    Edit(
        "a type that is only declared", PLAIN, "total = 0", "total: int\n        total = 0", False
    ),
    Edit("a statement", PLAIN, "total = 0", "total = 1"),
    Edit("the type of a number", PLAIN, "1.0", "1"),
    Edit("a parameter", PLAIN, "made(orders)", "made(orders, more=1)"),
    Edit("async", PLAIN, "def made", "async def made"),
    Edit("pass", PLAIN, "total = 0", "total = 0; pass", False),
    # Helpers and constants.
    Edit("a helper", PLAIN, "+ 1", "+ 2"),
    Edit("a helper of a helper", PLAIN, "x * RATE", "x / RATE"),
    Edit("a constant of a helper", PLAIN, "RATE = 3", "RATE = 4"),
    Edit("a constant written otherwise", PLAIN, "RATE = 3", "RATE = 1 + 2", False),
    Edit("a helper that is not reached", PLAIN, "return x\n", "return -x\n", False),
    Edit("a constant that is not reached", PLAIN, '"low": 1', '"low": 0', False),
    Edit(
        "a comment in a helper", PLAIN, "return scaled(x) + 1", "return scaled(x) + 1  # up", False
    ),
    Edit("an import that is not used", PLAIN, "import math", "import math, json", False),
    Edit(
        "a helper imported from elsewhere",
        PLAIN,
        "import clean, RATE",
        "import unused as clean, RATE",
    ),
    Edit(
        "two helpers that change places",
        SWAPPED,
        "clean as a, scaled as b",
        "scaled as a, clean as b",
    ),
    Edit(
        "a module's own function",
        DISPATCH.replace("CHOICES[kind]", "helpers.clean"),
        "+ 1\n\n    def s",
        "+ 2\n\n    def s",
    ),
    Edit("a shadowed constant", SHADOWS, "RATE = 3", "RATE = 4", False),
    Edit("a shadowed loop variable", SHADOWS, "low, high = 1, 2", "low, high = 3, 4", False),
    Edit("a builtin that gets a global", PLAIN + "    x = 1", "x = 1", "enumerate = 3", False),
    Edit(
        "a used builtin that gets a global",
        PLAIN.replace("[total,", "[len(orders),") + "    x = 1",
        "x = 1",
        "len = clean",
    ),
    # Imports inside the function.
    Edit("an import inside", INSIDE, "clean as c", "unused as c"),
    Edit("a function imported inside", INSIDE, "+ 1", "+ 2"),
    Edit("through a module imported inside", INSIDE, "x * RATE", "x / RATE"),
    Edit("a constant through a dotted module", INSIDE, '"low": 1', '"low": 0'),
    Edit("a default", INSIDE, 'kind="a"', 'kind="b"'),
    Edit("a default of a keyword", INSIDE, "limit=2", "limit=3"),
    Edit("a default written otherwise", INSIDE, "limit=2", "limit=1 + 1", False),
    # Classes.
    Edit("a base class", CLASS, "clean(1)", "clean(2)"),
    Edit("a helper of a base class", CLASS, "+ 1", "+ 2"),
    Edit("a metaclass", CLASS, "super().__call__(*args)", "super().__call__()"),
    Edit("a class attribute", CLASS, "RATE = 5", "RATE = 6"),
    Edit("an annotation in a class", CLASS, "size: int", "size: float"),
    Edit("an annotation of a method", CLASS, "-> float", "-> int", False),
    Edit("the docstring of a class", CLASS, "A tool.", "The tool.", False),
    Edit("the docstring of a method", CLASS, "Its rate.", "The rate.", False),
    Edit("a static method", CLASS, "return 7", "return 8"),
    Edit("a default of a method", CLASS, "by=RATE", "by=RATE + 1"),
    Edit("the value of a default of a method", CLASS, "RATE = 3", "RATE = 4"),
    Edit("an attribute set from outside", CLASS, "def made", "Tool.extra = 3\n    def made"),
    Edit("a method put on from outside", CLASS, "def made", "Tool.run = scaled\n    def made"),
    Edit("an enum", CLASSES, "BLUE = 2", "BLUE = 3"),
    Edit("an enum made by a call", CLASSES, '"TWO": 2', '"TWO": 3'),
    Edit("a named tuple", CLASSES, "y: int = 2", "y: int = 3"),
    Edit("a named tuple made by a call", CLASSES, '["a", "b"]', '["a", "c"]'),
    Edit("a field of a dataclass", CLASSES, "default=1", "default=2"),
    Edit("an option of a dataclass", CLASSES, "frozen=True", "frozen=True, order=True"),
    Edit("a method of a model", CLASSES, "self.size * 2", "self.size * 3"),
    Edit("a model in a quoted annotation", CLASSES, 'name: str = "later"', 'name: str = "now"'),
    Edit("the value of a model", CLASSES, "Model(size=4)", "Model(size=5)"),
    Edit("the value of an enum", CLASSES, "= Colour.RED", "= Colour.BLUE"),
    # Wrappers, lambdas, closures.
    Edit("a cached function", WRAPPED, "x + 1", "x + 2"),
    Edit("a decorated function", WRAPPED, "x + 10", "x + 20"),
    Edit("a decorator", WRAPPED, "range(count)", "range(count + 1)"),
    Edit("the argument of a decorator", WRAPPED, "@times(2)", "@times(3)"),
    Edit(
        "another library's decorator",
        WRAPPED,
        "@functools.lru_cache\n",
        "@functools.lru_cache(maxsize=2)\n",
    ),
    Edit("a registered function", WRAPPED, 'return "int"', 'return "integer"'),
    Edit("the type it is registered for", WRAPPED, "x: int", "x: str"),
    Edit("an argument of a partial", WRAPPED, "(doubled, 4)", "(doubled, 5)"),
    Edit("a function in a table", DISPATCH, "+ 1\n\n    def s", "+ 2\n\n    def s"),
    Edit("the first of two lambdas", DISPATCH, "x + 1; ", "x + 3; "),
    Edit("the second of two lambdas", DISPATCH, "x + 2", "x + 3"),
    Edit("lambdas in another order", DISPATCH, "[first, second]", "[second, first]"),
    Edit("a cell", LOOP, "make(1, 5)", "make(3, 5)"),
    Edit("cells that change places", LOOP, "one, two =", "two, one ="),
    Edit("an argument that no cell keeps", LOOP, "make(1, 5)", "make(1, 7)", False),
    # The decorator of the framework.
    Edit("an option of the asset", DECORATED, "team:a", "team:b", False),
    Edit("the name of the asset", DECORATED, "orders_made", "orders_done", False),
    Edit("another decorator of the asset", DECORATED, "@functools.cache", "@functools.lru_cache"),
    Edit("a default of the asset", DECORATED, "= 3", "= 4"),
    Edit("annotations of the asset", DECORATED, "count: int", "count: float", False),
    Edit("annotations that a decorator acts on", PYDANTIC_CALL, "x: int", "x: str"),
    Edit("a method of a config", CONFIG, "self.rate * 2", "self.rate * 3"),
    # Values.
    constant("1", "True"),
    constant("1", "1.0"),
    constant("0.0", "-0.0"),
    constant("float('nan')", "float('inf')"),
    constant("'a'", "b'a'"),
    constant("'é'", "'\\xe9'", changes=False),
    constant("None", "False"),
    constant("(1, 2)", "[1, 2]"),
    constant("(1, (2, 3))", "((1, 2), 3)"),
    constant("['a, b']", "['a', 'b']"),
    constant("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
    constant("{1, 2, 'c'}", "{'c', 2, 1}", changes=False),
    constant("{1, 2}", "frozenset({1, 2})"),
    constant("{}", "collections.OrderedDict()"),
    constant("range(3)", "range(0, 3, 1)", changes=False),
    constant("range(3)", "range(4)"),
    constant("slice(1, 2)", "slice(1, 3)"),
    constant("re.compile('a')", "re.compile('a', re.I)"),
    constant("decimal.Decimal('1.0')", "decimal.Decimal('1.00')"),
    constant("datetime.date(2026, 1, 1)", "datetime.datetime(2026, 1, 1)"),
    constant("datetime.timedelta(1)", "datetime.timedelta(hours=24)", changes=False),
    constant("uuid.UUID(int=1)", "uuid.UUID(int=2)"),
    constant("pathlib.Path('a')", "pathlib.Path('b')"),
    constant("pathlib.Path(__file__)", "pathlib.Path(__file__).parent / 'marts.py'", changes=False),
    constant("10 ** 5000", "10 ** 5000 + 1"),
    constant("sorted", "reversed"),
    constant("[list[int]]", "[list[str]]"),
    constant("collections.deque([1], 2)", "collections.deque([1], 3)"),
]


def edited(edit: Edit) -> dict[str, str]:
    files = {"marts.py": edit.code, "helpers.py": HELPERS}
    for name, text in files.items():
        if edit.old in text:
            return {**files, name: text.replace(edit.old, edit.new, 1)}
    raise AssertionError(edit.old)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.id)
def test_an_edit_changes_the_code_version_if_and_only_if_it_can_change_the_result(edit, tmp_path):
    before = close(tmp_path / "before", {"marts.py": edit.code})
    after = close(tmp_path / "after", edited(edit))

    assert (before.fingerprint != after.fingerprint) is edit.changes


def test_the_parts_are_named_the_function_first_and_the_rest_sorted(tmp_path):
    found = close(tmp_path, {"marts.py": PLAIN})

    names = [part.name for part in found.parts]
    assert names == [
        "shop.marts.made",
        "shop.helpers.RATE",
        "shop.helpers.clean",
        "shop.helpers.scaled",
    ]
    assert all(part.fingerprint == fingerprint(part.source) for part in found.parts)


def test_the_asset_may_be_renamed_with_all_that_hangs_on_it(tmp_path):
    code = """
        import functools
        def twice(f):
            @functools.wraps(f)
            def wrapper(*args): return f(*args), f(*args)
            return wrapper
        @functools.lru_cache
        @twice
        def made(orders, count=[3]): return count
    """

    before = close(tmp_path / "before", {"marts.py": code})
    after = close(tmp_path / "after", {"marts.py": code.replace("made", "done")}, "done")

    assert before.parts[0].name == "shop.marts.made"
    assert after.parts[0].name == "shop.marts.done"
    assert before.fingerprint == after.fingerprint


def test_an_asset_that_calls_another_reaches_its_function(tmp_path):
    code = """
        from assetflow.model.declare import asset
        @asset
        def first(orders): return 1
        @asset
        def made(orders): return first(orders)
    """

    found = close(tmp_path, {"marts.py": code})

    assert [part.name for part in found.parts] == ["shop.marts.made", "shop.marts.first"]


def test_functions_that_call_one_another_are_each_reached_once(tmp_path):
    code = """
        def even(n): return n == 0 or odd(n - 1)
        def odd(n): return n != 0 and even(n - 1)
        def made(orders): return even(4), made
    """

    found = close(tmp_path, {"marts.py": code})

    assert [part.name for part in found.parts] == [
        "shop.marts.made",
        "shop.marts.even",
        "shop.marts.odd",
    ]


def test_assets_made_in_a_loop_differ_by_their_cells_alone(tmp_path):
    code = """
        def make(rate):
            def inner(orders): return rate
            return inner
        one, two, again = make(1), make(2), make(1)
    """
    with imported(tmp_path, {"marts.py": code}) as module:
        closer = Closer(["shop"], tmp_path)
        one, two, again = (
            closer.close_over(getattr(module, name)) for name in ("one", "two", "again")
        )

    assert [part.name for part in one.parts] == [
        "shop.marts.make.<locals>.inner",
        "shop.marts.make.<cell rate>",
    ]
    assert one.fingerprint == again.fingerprint != two.fingerprint


def test_a_version_does_not_depend_on_what_was_closed_over_before(tmp_path):
    code = LOOP + "\n    def other(x): return two(x) + one(x)"
    with imported(tmp_path, {"marts.py": code}) as module:
        shared = Closer(["shop"], tmp_path)
        shared.close_over(module.other)

        assert shared.close_over(module.made) == Closer(["shop"], tmp_path).close_over(module.made)


UNKNOWN = {
    "a lock": ("import threading\n    CLIENT = threading.Lock()", "CLIENT", "thread.lock"),
    "an open file": ("import io\n    CLIENT = io.BytesIO()", "CLIENT", "io.BytesIO"),
    "an object of another library": (
        "import queue\n    CLIENT = queue.Queue()",
        "CLIENT",
        "queue.Queue",
    ),
    "a generator": ("CLIENT = (x for x in [])", "CLIENT", "builtins.generator"),
    "a lock inside a dict": (
        "import threading\n    CLIENT = {'a': [threading.Lock()]}",
        "CLIENT",
        "thread.lock",
    ),
    "code without a source": (
        "exec('def CLIENT(): return 1')",
        "CLIENT",
        "a function whose source cannot be found",
    ),
    "a generator of random numbers": (
        "import random\n    CLIENT = random.Random(1)",
        "CLIENT",
        "random.Random",
    ),
}


READERS = """

    def helper(): return CLIENT
    def made(orders): return helper()
    def free(orders): return 1
"""


@pytest.mark.parametrize(("code", "name", "what"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_value_that_cannot_be_fingerprinted_is_an_error_that_names_it(code, name, what, tmp_path):
    files = {"marts.py": f"    {code}{READERS}"}

    with pytest.raises(ValueCannotBeFingerprinted) as raised:
        close(tmp_path, files)

    assert raised.value.name == name
    assert raised.value.facts["value"] == what
    assert raised.value.facts["read by"].startswith("shop.marts.helper  shop/marts.py:")
    assert raised.value.facts["for asset"].startswith("shop.marts.made  shop/marts.py:")
    assert close(tmp_path, files, "free").parts
    assert close(tmp_path, files, ignore=("CLIENT",)).parts
    assert close(tmp_path, files, ignore=("shop.marts.CLIENT",)).parts


@pytest.mark.parametrize(
    ("code", "ignore"),
    [
        ("def made(orders, lock=threading.Lock()): return 1", "lock"),
        (
            "class Held:\n        LOCK = threading.Lock()\n    def made(orders): return Held.LOCK",
            "LOCK",
        ),
        ("from shop import locks\n    def made(orders): return locks.LOCK", "LOCK"),
        ("from shop.locks import LOCK as L\n    def made(orders): return L", "shop.locks.LOCK"),
    ],
)
def test_a_lock_may_hide_in_defaults_classes_and_modules(code, ignore, tmp_path):
    files = {
        "marts.py": f"    import threading\n    {code}",
        "locks.py": "import threading\nLOCK = threading.Lock()",
    }

    with pytest.raises(ValueCannotBeFingerprinted):
        close(tmp_path, files)

    assert close(tmp_path, files, ignore=(ignore,)).parts


HARMLESS = """
    import logging, threading, typing
    from typing import TypeVar, Any
    log = logging.getLogger(__name__)
    T = TypeVar("T")
    LOCK = threading.Lock()
    class Held:
        lock = LOCK
        def use(self): return self.lock
    class Plain:
        def __init__(self): self.size = 3
    PLAIN = Plain()
    NOTHING = typing.Optional[Plain]
    def made(orders):
        LOCK = 1
        log.info("%s", LOCK)
        return T, Any, PLAIN, NOTHING, undefined_name, typing.cast(T, orders)
"""


def test_loggers_typing_plain_objects_and_unknown_names_have_a_version(tmp_path):
    assert close(tmp_path, {"marts.py": HARMLESS}).parts


def test_the_state_of_a_plain_object_counts(tmp_path):
    after = HARMLESS.replace("self.size = 3", "self.size = 2 + 2")

    before = close(tmp_path / "before", {"marts.py": HARMLESS})
    found = close(tmp_path / "after", {"marts.py": after})

    changed = set(found.versions) - set(before.versions)
    assert {name for name, _ in changed} == {"shop.marts.PLAIN", "shop.marts.Plain"}


def test_a_secret_is_not_written_down(tmp_path):
    code = """
        from pydantic import SecretStr
        API_TOKEN = "hunter2"
        SETTINGS = SecretStr("hunter2")
        def made(orders): return API_TOKEN, SETTINGS
    """

    found = close(tmp_path, {"marts.py": code})

    assert not [part.name for part in found.parts if "hunter2" in part.source]


def test_a_copy_of_a_project_has_the_same_versions(tmp_path):
    code = """
        import os
        from pathlib import Path
        HERE = Path(__file__).parent / "data"
        THERE = [os.path.dirname(__file__)]
        def made(orders): return HERE, THERE, __file__
    """

    one, other = (
        close(tmp_path / "one", {"marts.py": code}),
        close(tmp_path / "o", {"marts.py": code}),
    )

    assert one == other


def test_a_base_class_that_is_an_argument_counts(tmp_path):
    code = """
        class One: size = 1
        class Two: size = 1
        def make(base):
            class Made(base): pass
            return Made
        KIND = make(One)
        def made(): return KIND
    """

    before = close(tmp_path / "before", {"marts.py": code})
    after = close(tmp_path / "after", {"marts.py": code.replace("make(One)", "make(Two)")})

    assert before.fingerprint != after.fingerprint


def test_a_container_that_holds_itself_ends(tmp_path):
    code = "    VALUE = [1]\n    VALUE.append(VALUE)\n    def made(): return VALUE"

    assert close(tmp_path, {"marts.py": code}).parts[1].source == "[1, the value 1 above]"


def test_a_module_that_is_handed_around_counts_as_a_whole(tmp_path):
    code = "    from shop import helpers\n    def made(name): return getattr(helpers, name)"

    before = close(tmp_path / "before", {"marts.py": code})
    after = close(tmp_path / "after", {"marts.py": code, "helpers.py": HELPERS + "\n    NEW = 1"})

    assert before.fingerprint != after.fingerprint


def test_a_long_value_is_kept_short(tmp_path):
    found = close(
        tmp_path, {"marts.py": "    TABLE = list(range(100_000))\n    def made(): return TABLE"}
    )

    assert found.parts[1].name == "shop.marts.TABLE"
    assert len(found.parts[1].source) < 100


def test_schemas_of_pandera_count_with_the_functions_in_them(tmp_path):
    code = """
        import pandera.pandas as pa, pandera.polars as pp
        SCHEMA = pa.DataFrameSchema({"id": pa.Column(int, pa.Check.ge(0), nullable=False)})
        OTHER = pp.DataFrameSchema({"id": pp.Column(str, pp.Check(lambda data: data > 7))})
        class Orders(pa.DataFrameModel):
            id: int = pa.Field(ge=0)
        def made(orders): return SCHEMA, OTHER, Orders
    """
    edits = [
        ("Check.ge(0)", "Check.ge(1)"),
        ("Check.ge(0)", "Check.gt(0)"),
        ("nullable=False", "nullable=True"),
        ("Column(int", "Column(float"),
        ("data > 7", "data > 8"),
        ("Column(str", "Column(int"),
        ("Field(ge=0)", "Field(ge=1)"),
    ]
    codes = [code, *(code.replace(old, new, 1) for old, new in edits)]
    found = [close(tmp_path / str(i), {"marts.py": each}) for i, each in enumerate(codes)]

    assert len({each.fingerprint for each in found}) == len(codes)
    assert close(tmp_path / "again", {"marts.py": code}) == found[0]


def test_values_of_arrays_tables_and_expressions_count(tmp_path):
    code = """
        import numpy as np, pyarrow as pa, polars as pl, pandas as pd, pyarrow.compute as pc
        ARRAY = np.array([1, 2])
        SCALAR = np.float64(1)
        SCHEMA = pa.schema([("a", pa.int32())])
        LAZY = pl.col("a") > 1
        KIND = pl.Datetime("us")
        TABLE = pa.table({"a": [1]})
        FRAME = pd.DataFrame({"a": [1]})
        RULE = pc.field("a") > 1
        UFUNC = np.add
        def made(orders): return ARRAY, SCALAR, SCHEMA, LAZY, KIND, TABLE, FRAME, RULE, UFUNC
    """
    edits = [
        ("np.array([1, 2])", "np.array([1, 3])"),
        ("float64(1)", "float32(1)"),
        ("int32", "int64"),
    ]
    edits += [
        ('col("a") > 1', 'col("a") > 2'),
        ('"us"', '"ms"'),
        ('pa.table({"a": [1]})', 'pa.table({"a": [2]})'),
    ]
    edits += [
        ('Frame({"a": [1]})', 'Frame({"b": [1]})'),
        ('field("a")', 'field("b")'),
        ("np.add", "np.sin"),
    ]

    codes = [code, *(code.replace(old, new, 1) for old, new in edits)]
    found = [close(tmp_path / str(i), {"marts.py": each}) for i, each in enumerate(codes)]

    assert len({each.fingerprint for each in found}) == len(codes)
    assert close(tmp_path / "again", {"marts.py": code}) == found[0]


def test_code_above_a_function_moves_places_but_no_fingerprint(tmp_path):
    code = "    def made(orders): return open(orders)"

    before = close(tmp_path / "before", {"marts.py": code})
    after = close(tmp_path / "after", {"marts.py": f"    x = 1\n\n{code}"})

    assert before.parts == after.parts
    assert [str(read) for read in before.outside] == ["open() at shop/marts.py:1"]
    assert [str(read) for read in after.outside] == ["open() at shop/marts.py:3"]


STATEMENTS = (
    "x = clean(order)",
    "y = f'{x!r:>{order}}' \"b\"",
    "if x: y = 1\nelse: y = [z for z in order if z]",
    "def inner(a, *b, c=1, **d): return a, b, c, d",
    "try: y = x[1:2, ...]\nexcept ValueError as e: raise",
    "match x:\n    case {'a': [1, *rest]}: y = rest\n    case str() | None: y = RATE",
    "with open(x) as f: y = -x ** 2 if x else not x",
    "class Inner:\n    size: int = 3",
    "global G; G = lambda a: (yield)",
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, unique=True), st.integers())
def test_formatting_comments_and_docstrings_never_change_a_version(tmp_path_factory, lines, seed):
    head = "from shop.helpers import clean, RATE\n"
    body = ast.parse(
        "def made(order):\n" + "".join(f" {line}\n" for each in lines for line in each.split("\n"))
    )
    plain = ast.unparse(body)
    noisy = _with_noise(plain, random.Random(seed))

    folder = tmp_path_factory.mktemp("formats")
    before = close(folder / "before", {"marts.py": head + plain})
    after = close(folder / "after", {"marts.py": head + noisy})

    assert before.parts == after.parts


def _with_noise(code: str, chance: random.Random) -> str:
    lines = [code.split("\n", maxsplit=1)[0], f'    """{chance.random()}"""']
    for line in code.split("\n")[1:]:
        lines.extend([f"# {chance.random()}"] * chance.randrange(3) + [""] * chance.randrange(2))
        lines.append(line + chance.choice(["", "   # why", "  "]))
    return dedent("\n".join(lines))
