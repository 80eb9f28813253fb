"""The dump of Python syntax: golden texts that hold on every Python, and what is left out."""

import ast
import sys

import pytest

from assetflow.project.ast_dump import dump

GOLDEN = {
    "x: int = 3": (
        "AnnAssign(target=Name(id='x'),annotation=Name(id='int'),value=Constant(3),simple=1)"
    ),
    "def f(a, /, b: int = 1, *c, d, e=2, **g) -> str: return a": (
        "FunctionDef(name='f',args=arguments(posonlyargs=[arg(arg='a')],args=[arg(arg='b')],"
        "vararg=arg(arg='c'),kwonlyargs=[arg(arg='d'),arg(arg='e')],kw_defaults=[~,Constant(2)],"
        "kwarg=arg(arg='g'),defaults=[Constant(1)]),body=[Return(value=Name(id='a'))])"
    ),
    "{**a, 'b': 1}": "Expr(value=Dict(keys=[~,Constant('b')],values=[Name(id='a'),Constant(1)]))",
    "f'a{x!r:>{w}}' 'b' f'{y = }'": (
        "Expr(value=JoinedStr(values=[Constant('a'),FormattedValue(value=Name(id='x'),conversion=114,"
        "format_spec=JoinedStr(values=[Constant('>'),FormattedValue(value=Name(id='w'),conversion=-1)])),"
        "Constant('by = '),FormattedValue(value=Name(id='y'),conversion=114)]))"
    ),
    "match x:\n case None | {'k': [1, *r], **o}: pass": (
        "Match(subject=Name(id='x'),cases=[match_case(pattern=MatchOr(patterns=[MatchSingleton(),"
        "MatchMapping(keys=[Constant('k')],patterns=[MatchSequence(patterns=[MatchValue(value=Constant(1)),"
        "MatchStar(name='r')])],rest='o')]))])"
    ),
    "class A(B, m=C):\n '''Doc.'''\n x: int\n def f(self): y: int = 1": (
        "ClassDef(name='A',bases=[Name(id='B')],keywords=[keyword(arg='m',value=Name(id='C'))],"
        "body=[AnnAssign(target=Name(id='x'),annotation=Name(id='int'),simple=1),"
        "FunctionDef(name='f',args=arguments(args=[arg(arg='self')]),"
        "body=[Assign(targets=[Name(id='y')],value=Constant(1))])])"
    ),
    "x = 'é', b'a', 1j, ..., None, True, -0.0": (
        "Assign(targets=[Name(id='x')],value=Tuple(elts=[Constant('\\xe9'),Constant(b'a'),Constant(1j),"
        "Constant(Ellipsis),Constant(None),Constant(True),UnaryOp(op=USub(),operand=Constant(0.0))]))"
    ),
    "try: a\nexcept* E as e: b\nelse: c\nfinally: d": (
        "TryStar(body=[Expr(value=Name(id='a'))],handlers=[ExceptHandler(type=Name(id='E'),name='e',"
        "body=[Expr(value=Name(id='b'))])],orelse=[Expr(value=Name(id='c'))],"
        "finalbody=[Expr(value=Name(id='d'))])"
    ),
    "from .a import b as c, d": (
        "ImportFrom(module='a',names=[alias(name='b',asname='c'),alias(name='d')],level=1)"
    ),
    "lambda x=1: [y async for y in x if y]": (
        "Expr(value=Lambda(args=arguments(args=[arg(arg='x')],defaults=[Constant(1)]),"
        "body=ListComp(elt=Name(id='y'),generators=[comprehension(target=Name(id='y'),iter=Name(id='x'),"
        "ifs=[Name(id='y')],is_async=1)])))"
    ),
}


@pytest.mark.parametrize(("code", "text"), GOLDEN.items(), ids=GOLDEN)
def test_a_dump_is_the_same_on_every_python(code, text):
    assert dump(ast.parse(code).body[0]) == text


SAME = [
    ("def f(x): return x", "def f(x: int) -> int:\n  'Doc.'\n  return (x)  # why"),
    ("def f(): x = 1", "def f():\n  x: int = 1\n  'note'\n  pass"),
    ("if a: b", "if a: b\nelse: pass"),
    ("x = 'a' 'b'", 'x = u"ab"'),
    ("x = 1_000, 0x10", "x = (1000, 16,)"),
    ("f'{a}' 'b' ''", "f'{a}b'"),
]
OTHER = [
    ("x = 1", "x = True"),
    ("x = 'a'", "x = b'a'"),
    ("x = [a]", "x = [a,]; pass; y"),
    ("class A: x: int", "class A: x: str"),
    ("f'{a}'", "f'{a!s}'"),
    ("a.b", "a.c"),
    ("def f(a, b=1): 0", "def f(a, *, b=1): 0"),
    ("for x in y: a", "async def f():\n async for x in y: a"),
    ("x = None", "x = ..."),
    ("f(**a)", "f(*a)"),
    ("import a.b", "import a.b as a"),
]


# Type parameters count in classes alone.
if sys.version_info >= (3, 12):
    SAME.append(("def f(x): return x", "def f[T](x: T) -> T: return x"))
    OTHER.append(("class A: x = 1", "class A[T]: x = 1"))


@pytest.mark.parametrize(("one", "two"), SAME)
def test_what_cannot_change_a_result_is_left_out(one, two):
    assert dump(ast.parse(one)) == dump(ast.parse(two))


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_code_that_differs_has_another_dump(one, two):
    assert dump(ast.parse(one)) != dump(ast.parse(two))


def test_texts_of_an_f_string_are_joined_however_a_parser_splits_them():
    name = ast.FormattedValue(ast.Name("x"), -1)
    split = ast.JoinedStr([ast.Constant(""), name, ast.Constant("a"), ast.Constant("b")])

    assert dump(split) == dump(ast.parse("f'{x}ab'", mode="eval").body)


def test_an_expression_of_thousands_of_terms_can_be_dumped():
    node: ast.expr = ast.Name("x")
    for _ in range(5_000):
        node = ast.UnaryOp(ast.Not(), node)

    assert dump(node).count("Not()") == 5_000
