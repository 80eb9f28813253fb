import os
import py_compile
import sys

import pytest

from assetflow.errors import NoPackage
from assetflow.project.discovery import find_package, import_modules, package_files
from tests.project.written import text, write, write_file


def imported(root, package="shop"):
    """Import all modules of the package, as a load does."""
    folder = find_package(root, package)
    return import_modules(root, folder, package_files(folder).modules)


def names_of(root):
    collector, _ = imported(root)
    return [one.name for function in collector.functions for one in function.declarations]


def errors_of(root):
    collector, _ = imported(root)
    return [str(error) for error in collector.errors]


ASSET = """
from assetflow.model.declare import asset

@asset
def {name}():
    ...
"""


@pytest.mark.parametrize("base", [".", "src"])
def test_the_package_lies_in_the_root_or_in_src(tmp_path, base):
    write_file(tmp_path, f"{base}/shop/a.py", ASSET.format(name="orders"))

    assert find_package(tmp_path, "shop") == tmp_path / base / "shop"
    assert names_of(tmp_path) == ["orders"]


def test_a_package_that_is_not_there_names_the_nearest_folder(tmp_path):
    (tmp_path / "shops").mkdir()

    with pytest.raises(NoPackage) as caught:
        find_package(tmp_path, "shop")

    assert str(caught.value) == text("""
        The project has no package 'shop'.
          looked for  shop and src/shop
        Did you mean 'shops'?
    """)


def test_each_file_of_a_package_has_its_use(tmp_path):
    files = [
        "shop/__init__.py",
        "shop/__main__.py",
        "shop/b.py",
        "shop/a.py",
        "shop/test_a.py",
        "shop/conftest.py",
        "shop/not-a-module.py",
        "shop/notes.txt",
        "shop/py",
        "shop/top.sql",
        "shop/.hidden.sql",
        "shop/marts/__init__.py",
        "shop/marts/deep/revenue.py",
        "shop/marts/deep/Revenue.SQL",
        "shop/macros/money.sql",
        "shop/macros/notes.txt",
        "shop/marts/macros/more.sql",
        "shop/checks/positive.sql",
        "shop/__pycache__/old.py",
        "shop/test_data/x.sql",
        "shop/test_data/x.py",
        "shop/2026-orders/test_results.sql",
        "shop/2026-orders/x.py",
    ]
    for path in files:
        write_file(tmp_path, path, "")

    found = package_files(tmp_path / "shop")

    assert found.modules == [
        "shop",
        "shop.a",
        "shop.b",
        "shop.marts",
        "shop.marts.deep.revenue",
    ]
    assert found.queries == [
        str(tmp_path / path)
        for path in (
            "shop/2026-orders/test_results.sql",
            "shop/marts/deep/Revenue.SQL",
            "shop/test_data/x.sql",
            "shop/top.sql",
        )
    ]
    assert found.macros == [
        str(tmp_path / path) for path in ("shop/macros/money.sql", "shop/marts/macros/more.sql")
    ]


def test_a_link_to_a_folder_above_is_not_followed(tmp_path):
    write(tmp_path, shop__orders_sql="select 1")
    (tmp_path / "shop" / "loop").symlink_to(tmp_path / "shop")

    assert len(package_files(tmp_path / "shop").queries) == 1


def test_declarations_come_in_the_order_of_the_modules(tmp_path):
    write(
        tmp_path,
        shop__b_py=ASSET.format(name="in_b"),
        shop__a_py="from shop import c\n" + ASSET.format(name="in_a"),
        shop__c_py=ASSET.format(name="in_c"),
    )

    assert names_of(tmp_path) == ["in_c", "in_a", "in_b"]


def test_an_edit_is_seen_by_the_next_load_of_the_same_process(tmp_path):
    module = write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))
    at = module.stat()

    for before, name in (("orders", "refund"), ("refund", "things")):
        assert names_of(tmp_path) == [before]
        write_file(tmp_path, "shop/a.py", ASSET.format(name=name))
        os.utime(module, ns=(at.st_atime_ns, at.st_mtime_ns))

    assert names_of(tmp_path) == ["things"]


def test_a_module_that_is_new_or_gone_is_seen_by_the_next_load(tmp_path):
    write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))
    assert names_of(tmp_path) == ["orders"]

    write_file(tmp_path, "shop/b.py", ASSET.format(name="stores"))
    (tmp_path / "shop" / "a.py").unlink()

    assert names_of(tmp_path) == ["stores"]
    assert "shop.a" not in sys.modules


def test_a_moved_function_is_found_on_its_new_line(tmp_path):
    module = write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))

    lines = []
    for _ in range(2):
        collector, _ = imported(tmp_path)
        lines.append(collector.functions[0].declarations[0].location.line)
        module.write_text("\n" + module.read_text(encoding="utf-8"), encoding="utf-8")

    assert lines == [4, 5]


def test_a_new_module_is_seen_in_a_folder_whose_time_did_not_change(tmp_path):
    write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))
    imported(tmp_path)
    folder = tmp_path / "shop"
    at = folder.stat()

    write_file(tmp_path, "shop/b.py", ASSET.format(name="stores"))
    os.utime(folder, ns=(at.st_atime_ns, at.st_mtime_ns))

    assert names_of(tmp_path) == ["orders", "stores"]


def test_a_folder_of_data_beside_the_package_is_no_package(tmp_path):
    write(tmp_path, shop__a_py="import landed", landed__orders_csv="id")

    [message] = errors_of(tmp_path)

    assert "ModuleNotFoundError: No module named 'landed'" in message


def test_no_bytecode_is_written(tmp_path):
    write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))

    imported(tmp_path)

    assert [path.name for path in tmp_path.rglob("*") if "pycache" in str(path)] == []


def test_stale_bytecode_is_not_read(tmp_path):
    module = write_file(tmp_path, "shop/a.py", ASSET.format(name="before"))
    at = module.stat()
    py_compile.compile(str(module))
    write_file(tmp_path, "shop/a.py", ASSET.format(name="afters"))
    os.utime(module, ns=(at.st_atime_ns, at.st_mtime_ns))

    assert names_of(tmp_path) == ["afters"]


def test_two_projects_with_one_package_name_do_not_mix(tmp_path):
    for name in ("one", "two"):
        write_file(tmp_path, f"{name}/shop/a.py", "import helper\n" + ASSET.format(name=name))
        write_file(tmp_path, f"{name}/helper.py", "")

    assert names_of(tmp_path / "one") == ["one"]
    assert names_of(tmp_path / "two") == ["two"]
    assert sys.modules["helper"].__file__ == str(tmp_path / "two" / "helper.py")
    assert names_of(tmp_path / "one") == ["one"]


def test_the_projects_own_modules_are_named(tmp_path):
    write(
        tmp_path,
        shop__a_py="import helper, decimal\nimport lib.money\n",
        helper_py="",
        lib__money_py="",
        unused_py="",
    )
    write_file(tmp_path, "lib/__init__.py", "")

    _, modules = imported(tmp_path)

    assert modules == ("helper", "lib", "shop")


def test_a_file_beside_the_package_hides_no_module_of_python(tmp_path):
    write(tmp_path, shop__a_py="import colorsys\ncolorsys.rgb_to_hsv\n", colorsys_py="raise 1")

    assert errors_of(tmp_path) == []


def test_modules_can_be_imported_later_too(tmp_path):
    write(
        tmp_path,
        shop__a_py="def late():\n    import helper\n    return helper.ANSWER\n",
        helper_py="ANSWER = 42",
    )
    imported(tmp_path)

    assert sys.modules["shop.a"].late() == 42


def test_what_modules_print_goes_to_standard_error(tmp_path, capsys):
    write(tmp_path, shop__a_py="print('hello')")

    imported(tmp_path)

    assert capsys.readouterr() == ("", "hello\n")


def test_a_module_that_raises_is_told_and_the_others_are_imported(tmp_path):
    write(
        tmp_path,
        shop__a_py="1 / 0",
        shop__b_py=ASSET.format(name="orders"),
    )

    collector, _ = imported(tmp_path)

    assert [function.__name__ for function in collector.functions] == ["orders"]
    assert [str(error) for error in collector.errors] == [
        text("""
            The module 'shop.a' cannot be imported.
              problem  ZeroDivisionError: division by zero
              at       shop/a.py:1
            Correct the code.
        """)
    ]


def test_only_the_users_own_frames_are_shown(tmp_path):
    write(
        tmp_path,
        shop__a_py="import json\nfrom helper import read\nread('{')\n",
        helper_py="import json\ndef read(text):\n    return json.loads(text)\n",
    )

    assert errors_of(tmp_path) == [
        text("""
            The module 'shop.a' cannot be imported.
              problem  JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
              at       shop/a.py:3 -> helper.py:3
            Correct the code.
        """)  # noqa: E501
    ]


def test_one_failure_that_stops_several_modules_is_told_once(tmp_path):
    write(
        tmp_path,
        shop__a_py="import shop.broken",
        shop__broken_py=ASSET.format(name="early") + "\nraise ValueError('first\\nsecond')",
        shop__c_py="from shop.broken import x",
        shop__d_py="import shop.a",
    )

    collector, _ = imported(tmp_path)

    assert [function.__name__ for function in collector.functions] == ["early"]
    assert [str(error) for error in collector.errors] == [
        text("""
            The module 'shop.broken' cannot be imported.
              problem  ValueError: first
              at       shop/a.py:1 -> shop/broken.py:7
            Correct the code.
        """)
    ]


def test_a_package_that_raises_is_told_once_for_all_below_it(tmp_path):
    write(
        tmp_path,
        shop__marts__a_py="",
        shop__marts__b_py="",
        shop__other_py=ASSET.format(name="orders"),
    )
    write_file(tmp_path, "shop/marts/__init__.py", "raise SystemExit(3)")

    collector, _ = imported(tmp_path)

    assert len(collector.functions) == 1
    assert [str(error) for error in collector.errors] == [
        text("""
            The module 'shop.marts' cannot be imported.
              problem  SystemExit: 3
              at       shop/marts/__init__.py:1
            Correct the code.
        """)
    ]


@pytest.mark.parametrize(
    ("code", "problem", "at", "way_out"),
    [
        ("a = 1\nb = = 2\n", "SyntaxError: invalid syntax", "shop/a.py:2", "Correct the code."),
        (
            "a = 1\nimport no_such_library.part",
            "ModuleNotFoundError: No module named 'no_such_library'",
            "shop/a.py:2",
            "Install 'no_such_library', or correct the import.",
        ),
        (
            "import shop.helprs",
            "ModuleNotFoundError: No module named 'shop.helprs'",
            "shop/a.py:1",
            "Correct the code.",
        ),
        ("assert False", "AssertionError", "shop/a.py:1", "Correct the code."),
        (
            "from shop import missing",
            "ImportError: cannot import name 'missing' from 'shop' (unknown location)",
            "shop/a.py:1",
            "Correct the code.",
        ),
    ],
)
def test_what_stops_an_import_is_named(tmp_path, code, problem, at, way_out):
    write(tmp_path, shop__a_py=code)

    assert errors_of(tmp_path) == [
        text(f"""
            The module 'shop.a' cannot be imported.
              problem  {problem}
              at       {at}
            {way_out}
        """)
    ]


def test_a_module_that_is_no_text_is_told(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_bytes(b"a = 1\nb = '\xe4'\n")

    [message] = errors_of(tmp_path)

    assert "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xe4" in message
    assert "at       shop/a.py:" in message


def test_a_module_that_vanished_while_it_was_loaded_is_told(tmp_path):
    write(
        tmp_path,
        shop__a_py="import pathlib\npathlib.Path(__file__).with_name('b.py').unlink()",
        shop__b_py="",
    )

    [message] = errors_of(tmp_path)

    assert "The module 'shop.b' cannot be imported." in message


def test_a_module_that_cannot_be_read_is_told_with_its_path(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").symlink_to("a.py")
    (tmp_path / "shop" / "b.py").write_bytes(b"a = 1\0")

    found = errors_of(tmp_path)

    assert all("  at       " in message for message in found)
    assert any("  at       shop/b.py" in message for message in found)


def test_modules_of_a_package_with_init_import_one_another(tmp_path):
    write_file(tmp_path, "shop/__init__.py", "from .a import orders\n")
    write_file(tmp_path, "shop/a.py", ASSET.format(name="orders"))
    write_file(tmp_path, "shop/marts/__init__.py", "")
    write_file(tmp_path, "shop/marts/b.py", "from ..a import orders\nfrom . import c\n")
    write_file(tmp_path, "shop/marts/c.py", ASSET.format(name="stores"))

    assert names_of(tmp_path) == ["orders", "stores"]
