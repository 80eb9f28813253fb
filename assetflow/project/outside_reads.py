"""Which reads of a piece of code go outside the program: files, the clock, chance, the network.

A static look at names, so that the plan can say them; a read it cannot see is not found.
"""

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass

from assetflow.project.code_names import attribute_chain


@dataclass(frozen=True, slots=True)
class OutsideRead:
    """A read of the outside: `what`, such as `open()`, at `place`, in the code part `by`."""

    what: str
    place: str
    by: str

    def __str__(self) -> str:
        return f"{self.what} at {self.place}"


_MODULES = frozenset(
    [
        "aiohttp",
        "boto3",
        "fsspec",
        "glob",
        "httpx",
        "numpy.random",
        "random",
        "requests",
        "s3fs",
        "secrets",
        "socket",
        "sqlite3",
        "subprocess",
        "urllib.request",
        "urllib3",
        "websocket",
        "websockets",
    ]
)
"""Modules of which everything counts."""

_PREFIXES = (
    "duckdb.read_",
    "pandas.read_",
    "polars.read_",
    "polars.scan_",
    "pyarrow.csv.",
    "pyarrow.dataset.",
    "pyarrow.feather.read_",
    "pyarrow.fs.",
    "pyarrow.json.",
    "pyarrow.orc.read_",
    "pyarrow.parquet.read_",
    "os.path.get",
    "psycopg",
    "time.clock_gettime",
    "time.monotonic",
    "time.perf_counter",
    "time.time",
)

_NAMES = frozenset(
    [
        "adbc_driver_manager.dbapi.connect",
        "builtins.input",
        "builtins.open",
        "bz2.open",
        "codecs.open",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "duckdb.connect",
        "duckdb.execute",
        "duckdb.from_csv_auto",
        "duckdb.from_parquet",
        "duckdb.query",
        "duckdb.sql",
        "getpass.getuser",
        "gzip.open",
        "importlib.metadata.version",
        "io.open",
        "locale.getlocale",
        "lzma.open",
        "numpy.genfromtxt",
        "numpy.load",
        "numpy.loadtxt",
        "os.environ",
        "os.environb",
        "os.getcwd",
        "os.getenv",
        "os.getenvb",
        "os.getlogin",
        "os.getpid",
        "os.listdir",
        "os.lstat",
        "os.open",
        "os.path.exists",
        "os.path.isdir",
        "os.path.isfile",
        "os.popen",
        "os.scandir",
        "os.stat",
        "os.system",
        "os.urandom",
        "os.walk",
        "pandas.Timestamp.now",
        "pandas.Timestamp.today",
        "pandas.Timestamp.utcnow",
        "pathlib.Path.cwd",
        "pathlib.Path.home",
        "platform.node",
        "pyarrow.memory_map",
        "pyarrow.OSFile",
        "shutil.copyfile",
        "sqlalchemy.create_engine",
        "sys.argv",
        "sys.stdin",
        "tarfile.open",
        "tempfile.gettempdir",
        "time.gmtime",
        "time.localtime",
        "time.strftime",
        "tomllib.load",
        "uuid.getnode",
        "uuid.uuid1",
        "uuid.uuid4",
        "zipfile.ZipFile",
    ]
)

_SEEDED = frozenset(
    [
        "numpy.random.Generator",
        "numpy.random.PCG64",
        "numpy.random.RandomState",
        "numpy.random.SeedSequence",
        "numpy.random.default_rng",
        "random.Random",
    ]
)
"""Not chance but a value, when called with a seed."""

_NO_READS = frozenset(["glob.escape", "requests.exceptions", "random.SystemRandom.seed"])

_NOT_CALLED = frozenset({"os.environ", "os.environb", "sys.argv", "sys.stdin"})

_METHODS = frozenset({"glob", "iterdir", "open", "read_bytes", "read_text", "rglob"})
"""Methods that, on whatever object, most likely read files."""

_SHORTER = (
    ("builtins.", ""),
    ("datetime.datetime.", "datetime."),
    ("datetime.date.", "date."),
    ("pathlib.Path.", "Path."),
)


def outside_name(dotted: str, *, has_arguments: bool = False) -> str:
    """Return how the read of `dotted` is named in a plan, "" if it does not go outside.

    >>> outside_name("datetime.datetime.now")
    'datetime.now()'
    >>> outside_name("random.Random", has_arguments=True)
    ''
    """
    known = next((each for each in _prefixes(dotted) if _is_outside(each)), "")
    if not known or (has_arguments and dotted in _SEEDED):
        return ""
    shown = known if known in _NOT_CALLED else f"{dotted}()"
    for long, short in _SHORTER:
        shown = shown.replace(long, short, 1) if shown.startswith(long) else shown
    return shown


def _prefixes(dotted: str) -> Iterator[str]:
    words = dotted.split(".")
    return (".".join(words[:count]) for count in range(1, len(words) + 1))


def _is_outside(dotted: str) -> bool:
    if dotted in _NO_READS:
        return False
    return dotted in _MODULES or dotted in _NAMES or dotted.startswith(_PREFIXES)


def method_reads(node: ast.AST, named: Container[str]) -> Iterator[tuple[str, int]]:
    """Yield the calls of methods that most likely read files, as named in a plan, and the line.

    Those on one of the modules, classes or functions that are `named` are known by name.

    >>> list(method_reads(ast.parse("path.read_text(); gzip.open(path)"), {"gzip.open"}))
    [('Path.read_text()', 1)]
    """
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            name = each.func.attr
            if name in _METHODS and ".".join(attribute_chain(each.func)) not in named:
                yield f"Path.{name}()", each.lineno
