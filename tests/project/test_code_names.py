"""Which names count as read from outside a piece of code."""

import ast

import pytest

from assetflow.project.code_names import Imported, names_read

READ = {
    "def f(a, *b, c=d, **e): return a, b, c, e, g": "d g",
    "def f(): x = 1; return x, y.z.w": "y.z.w",
    "def f(): return [x for x in x]": "x",
    "def f(): return [y for x in a for y in x if b]": "a b",
    "def f(): return [z := x for x in a], z": "a",
    "def f():\n global x\n x = 1": "x",
    "def f():\n x = 1\n def g():\n  nonlocal x\n  x = y\n return x": "y",
    "def f():\n def g():\n  return x\n x = 1": "",
    "def f():\n class A:\n  x = 1\n  def g(self): return x": "x",
    "def f():\n class A:\n  x = x": "x",
    "def f():\n class A(B, m=C):\n  y: D = 1\n  z: 'list[E]'": "B C D E list",
    "def f(a: A) -> B:\n c: C = 1\n return c": "",
    "def f():\n try: pass\n except E as e: return e": "E",
    "def f():\n with open(a) as b: return b": "a open",
    "def f(x):\n match x:\n  case P(a=1) | {'k': b, **c} | [*d]: return b, c, d": "P",
    "def f():\n for i, (j, k.l) in m: pass\n return i, j": "k.l m",
    "def f():\n del x.y": "x.y",
    "def f(): return f'{a!r:>{b}}'": "a b",
    "def f(): x[i] += y": "i x y",
    "lambda a, b=c: a + d": "c d",
    "class A(B):\n def f(self): return A, self.x": "A B",
    "async def f():\n async for x in y: await z(x)": "y z",
    "def f(): return g(1).h(i)": "g i",
}


@pytest.mark.parametrize(("code", "names"), READ.items(), ids=READ)
def test_a_name_is_read_if_nothing_inside_binds_it(code, names):
    node = ast.parse(code).body[0]

    assert [read.label for read in names_read(node)] == names.split()


def test_a_name_imported_inside_says_from_where():
    code = (
        "def f():\n import a.b\n from .c import d as e\n import g.h as i\n return a.b.x, e.y, i.z"
    )

    reads = {read.label: read.imported for read in names_read(ast.parse(code).body[0])}

    assert reads == {
        "a.b.x": Imported("a", loaded="a.b"),
        "e.y": Imported("c", "d", level=1),
        "i.z": Imported("g.h", loaded="g.h"),
    }


def test_a_name_has_arguments_if_each_call_of_it_has():
    code = "def f(): return seeded(1), seeded(key=2), plain(), plain(1), passed"

    reads = {read.name: read.has_arguments for read in names_read(ast.parse(code).body[0])}

    assert reads == {"passed": False, "plain": False, "seeded": True}
