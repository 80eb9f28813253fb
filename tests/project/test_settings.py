from pathlib import Path

import pytest

from assetflow.errors import AssetflowError
from assetflow.project.settings import Settings, find_project, place_of, read_settings
from tests.project.written import messages, text, write, write_file

TABLE = '[tool.assetflow]\npackage = "shop"\n'


def error_of(read):
    with pytest.raises(AssetflowError) as caught:
        read()
    return messages(caught.value)


def test_settings_stand_in_a_file_of_their_own(tmp_path):
    write(tmp_path, assetflow_toml='package = "shop"\nthreads = 3')

    settings = read_settings(tmp_path)

    assert (settings.package, settings.threads) == ("shop", 3)


def test_settings_stand_in_a_table_of_pyproject(tmp_path):
    write(tmp_path, pyproject_toml=TABLE + 'pools = { api = 4 }\npublish = "each"\n')

    settings = read_settings(tmp_path)

    assert (settings.pools, settings.publish) == ({"api": 4}, "each")


def test_what_is_not_said_has_a_default():
    settings = Settings(package="shop")

    assert settings.threads >= 1
    assert settings.memory_limit is None
    assert settings.timezone == "UTC"
    assert settings.state == ".assetflow"
    assert settings.publish == "run"
    assert settings.retention == 7 * 86400
    assert settings.environment("main").variables == {}


def test_variables_keep_their_types(tmp_path):
    write(
        tmp_path,
        assetflow_toml="""
        package = "shop"
        [variables]
        name = "a"
        count = 3
        rate = 0.5
        is_new = true
        [environments.dev]
        variables = { count = 4 }
        sources = { raw = "sample.csv" }
        """,
    )

    settings = read_settings(tmp_path)

    assert settings.variables == {"name": "a", "count": 3, "rate": 0.5, "is_new": True}
    assert isinstance(settings.variables["is_new"], bool)
    assert settings.environment("dev").variables == {"count": 4}
    assert settings.environment("dev").sources == {"raw": "sample.csv"}


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "assetflow.toml").write_bytes(b'\xef\xbb\xbfpackage = "shop"')

    assert read_settings(tmp_path).package == "shop"


def test_all_that_is_wrong_is_told_together_and_by_its_line(tmp_path):
    write(
        tmp_path,
        pyproject_toml="""
        [project]
        name = "treads"

        [tool.assetflow]
        treads = 3
        retention = "5m"
        memory_limit = "lots"
        timezone = "Mars"
        publish = "some"

        [tool.assetflow.pools]
        api = 0

        [tool.assetflow.environments.dev]
        sourcez = {}
        variables = { "a b" = 1, d = [1] }
        """,
    )

    assert error_of(lambda: read_settings(tmp_path)) == [
        text("""
            'package' of the settings is missing.
              expected    the name of the folder that holds the assets
              defined in  pyproject.toml:4
            Add it like package = "shop".
        """),
        text("""
            'treads' is not a key of the settings.
              defined in  pyproject.toml:5
            Did you mean 'threads'?
        """),
        text("""
            'retention' of the settings cannot have this value.
              given       '5m'
              expected    a number of seconds, or a text such as "90s", "10m", "6h", "2d" or "1h30m"; at least an hour
              defined in  pyproject.toml:6
            Write it like retention = "7d".
        """),  # noqa: E501
        text("""
            'memory_limit' of the settings cannot have this value.
              given       'lots'
              expected    an amount of memory such as "4GB" or "512MiB"
              defined in  pyproject.toml:7
            Write it like memory_limit = "4GB".
        """),
        text("""
            'timezone' of the settings cannot have this value.
              given       'Mars'
              expected    the name of a time zone, such as "UTC" or "Europe/Berlin"
              defined in  pyproject.toml:8
            Write it like timezone = "Europe/Berlin".
        """),
        text("""
            'publish' of the settings cannot have this value.
              given       'some'
              expected    "run", "all" or "each"
              defined in  pyproject.toml:9
            Write it like publish = "run".
        """),
        text("""
            'pools.api' of the settings cannot have this value.
              given       0
              expected    for each pool how many steps may run in it, at least 1
              defined in  pyproject.toml:12
            Write it like pools = { api = 4 }.
        """),
        text("""
            'sourcez' is not a key of 'environments.dev' of the settings.
              defined in  pyproject.toml:15
            Did you mean 'sources'?
        """),
        text("""
            'environments.dev.variables.a b' of the settings cannot have this value.
              given       'a b'
              expected    names of variables: letters, digits and underscores
              defined in  pyproject.toml:16
            Change it to what is expected.
        """),
        text("""
            'environments.dev.variables.d' of the settings cannot have this value.
              given       [1]
              expected    a text, a number, true or false
              defined in  pyproject.toml:16
            Change it to what is expected.
        """),
    ]


@pytest.mark.parametrize("package", ["json", "assetflow", "my-shop", "a.b", ""])
def test_the_package_has_a_name_that_only_it_has(tmp_path, package):
    write(tmp_path, assetflow_toml=f'package = "{package}"')

    assert error_of(lambda: read_settings(tmp_path)) == [
        text(f"""
            'package' of the settings cannot have this value.
              given       {package!r}
              expected    the name of a folder that is also a name of a Python package
              defined in  assetflow.toml:1
            Write it like package = "shop".
        """)
    ]


@pytest.mark.parametrize(
    ("written", "line", "problem"),
    [
        ('package = "shop"\nthreads 3\n', 2, "Expected '=' after a key in a key/value pair"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        ("a = 1\n\nb = [\n", 3, "Invalid value"),
    ],
)
def test_settings_that_are_no_toml_say_where(tmp_path, written, line, problem):
    write(tmp_path, assetflow_toml=written)

    assert error_of(lambda: read_settings(tmp_path)) == [
        text(f"""
            The file assetflow.toml cannot be read as TOML.
              problem  {problem}
              at       assetflow.toml:{line}
            Write each key as `name = "value"`, on a line of its own.
        """)
    ]


def test_settings_that_are_no_text_say_where(tmp_path):
    (tmp_path / "assetflow.toml").write_bytes(b'package = "shop"\nstate = "\xe4"')

    assert error_of(lambda: read_settings(tmp_path)) == [
        text("""
            A file of the project is not UTF-8 text.
              found  the byte 0xe4
              at     assetflow.toml:2
            Save the file as UTF-8.
        """)
    ]


def test_two_files_with_settings_are_an_error(tmp_path):
    write(tmp_path, pyproject_toml=TABLE, assetflow_toml='package = "shop"')

    assert error_of(lambda: read_settings(tmp_path)) == [
        text(f"""
            The project has its settings in two files.
              folder  {tmp_path}
              files   assetflow.toml, pyproject.toml
            Keep one: move everything below [tool.assetflow], or remove that table.
        """)
    ]


def test_a_project_is_found_from_any_folder_in_it(tmp_path):
    write(tmp_path, pyproject_toml=TABLE, shop__marts__orders_sql="select 1")
    write(tmp_path, shop__pyproject_toml='[project]\nname = "assetflow-shop"')

    assert find_project(tmp_path / "shop" / "marts", None, {}) == tmp_path


def test_the_nearest_settings_are_taken(tmp_path):
    write(tmp_path, pyproject_toml=TABLE, inner__assetflow_toml='package = "shop"')

    assert find_project(tmp_path / "inner", None, {}) == tmp_path / "inner"


def test_settings_that_are_no_toml_are_found_so_that_they_are_told(tmp_path):
    write(tmp_path, pyproject_toml="[tool.assetflow\n")

    assert find_project(tmp_path, None, {}) == tmp_path


def test_a_named_folder_goes_before_the_nearest_and_this_before_the_variable(tmp_path):
    for name in ("a", "b", "c"):
        write_file(tmp_path, f"{name}/assetflow.toml", 'package = "shop"')
    (tmp_path / "d").mkdir()
    environ = {"ASSETFLOW_PROJECT": str(tmp_path / "c")}

    assert find_project(tmp_path / "b", tmp_path / "a", environ) == tmp_path / "a"
    assert find_project(tmp_path / "b", None, environ) == tmp_path / "b"
    assert find_project(tmp_path / "d", None, environ) == tmp_path / "c"


def test_without_settings_there_is_no_project(tmp_path):
    assert error_of(lambda: find_project(tmp_path, None, {})) == [
        text(f"""
            No project was found here.
              looked in   {tmp_path} and the folders above it
              looked for  assetflow.toml, or pyproject.toml with [tool.assetflow]
            Make one with `assetflow init`, or name its folder with --project.
        """)
    ]


@pytest.mark.parametrize("named_by", ["--project", "ASSETFLOW_PROJECT"])
def test_a_named_folder_must_have_settings(tmp_path, named_by):
    folder = tmp_path / "elsewhere"
    explicit = folder if named_by == "--project" else None

    found = error_of(lambda: find_project(tmp_path, explicit, {named_by: str(folder)}))

    assert found == [
        text(f"""
            The folder of the project has no settings.
              folder      {folder}
              named by    {named_by}
              looked for  assetflow.toml, or pyproject.toml with [tool.assetflow]
            Name the folder that holds them, or make a project with `assetflow init`.
        """)
    ]


def test_settings_that_vanished_are_told(tmp_path):
    assert error_of(lambda: read_settings(tmp_path)) == [
        text("""
            A file of the project cannot be read.
              file     pyproject.toml
              problem  No such file or directory
            Make it readable, or move it out of the package.
        """)
    ]


def test_a_relative_folder_is_a_project_too(tmp_path, monkeypatch):
    write(tmp_path, assetflow_toml='package = "shop"')
    monkeypatch.chdir(tmp_path)

    assert find_project(Path(), None, {}) == tmp_path
    assert find_project(Path("missing"), Path(), {}) == tmp_path


def test_what_is_different_in_two_environments_is_named():
    settings = Settings(
        package="shop",
        config={"rates": {"address": "a", "tries": 3}},
        environments={
            "dev": {"config": {"rates": {"address": "b", "tries": 3}}, "variables": {"x": 1}},
            "qa": {"variables": {"x": True}},
        },
    )

    assert settings.differing("dev", "main") == {"variables": ("x",), "config": ("rates.address",)}
    assert settings.differing("qa", "dev") == {"variables": ("x",), "config": ("rates.address",)}
    assert settings.differing("main", "unknown") == {}


@pytest.mark.parametrize(
    ("file", "text", "keys", "line"),
    [
        ("assetflow.toml", "[freshness.tags]\nday = 1\n[freshness.groups]\nday = 1\n",
         ("freshness", "groups", "day"), 4),
        ("pyproject.toml", '[tool.assetflow]\nfreshness.groups."my marts" = 1\n',
         ("freshness", "groups", "my marts"), 2),
        ("assetflow.toml", "[config.api]\n[environments.dev.config.api]\n",
         ("environments", "dev", "config", "api"), 2),
    ],
)  # fmt: skip
def test_a_key_of_the_settings_has_its_line(tmp_path, file, text, keys, line):
    (tmp_path / file).write_text(text)

    assert str(place_of(tmp_path, keys)) == f"{file}:{line}"


def test_settings_without_a_file_have_no_line(tmp_path):
    assert place_of(tmp_path, ("freshness",)) == "the settings"
