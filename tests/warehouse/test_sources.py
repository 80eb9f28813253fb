"""All files of a source are read with one schema; one that departs from it is an error."""

import gzip

import duckdb
import pytest

from assetflow.errors import SourceDeparts, SourceUnreadable, UnknownReadOption
from assetflow.model.asset import Source
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Location
from assetflow.model.names import AssetName
from assetflow.warehouse.sources import (
    check_source_files,
    source_errors,
    source_scan,
    source_schema,
)


def source(format="csv", **options):  # noqa: A002 - as the field is named
    return Source(
        AssetName("raw"), Location("sources.py"), path=f"*.{format}", format=format, **options
    )


def columns(**types):
    return tuple(Column(name, type_) for name, type_ in types.items())


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        data = text if isinstance(text, bytes) else text.encode()
        opened = gzip.open if name.endswith(".gz") else open
        with opened(tmp_path / name, "wb") as stream:
            stream.write(data)
        return tmp_path / name

    return write


def read(cursor, source, paths, schema):
    with source_errors(paths):
        return cursor.execute(f"from {source_scan(source, paths, schema)}").fetchall()


def test_a_csv_is_sniffed_to_its_last_row(cursor, write):
    path = write("a.csv", "id;n\n" + "1;2\n" * 30_000 + "1;none\n")

    schema = source_schema(cursor, source(), [path])

    assert schema == columns(id="BIGINT", n="VARCHAR")
    assert len(read(cursor, source(), [path], schema)) == 30_001


def test_later_files_are_read_with_the_first_schema(cursor, write):
    first = write("a.csv", "id,n\n1,x\n")
    schema = source_schema(cursor, source(), [first])
    later = write("b.csv", "id,n\n2,7\n")

    assert read(cursor, source(), [first, later], schema) == [(1, "x"), (2, "7")]


def test_dates_are_read_as_they_were_sniffed(cursor, write):
    path = write("a.csv", "day,at\n31/01/2026,2026-01-31 10:00:00\n")
    schema = source_schema(cursor, source(), [path])

    assert schema == columns(day="DATE", at="TIMESTAMP")
    assert str(read(cursor, source(), [path], schema)[0][0]) == "2026-01-31"


def test_declared_columns_win(cursor, write):
    path = write("a.csv", "id,n\n1,2\n")
    declared = source(columns=columns(id="VARCHAR", n="DOUBLE"))

    schema = source_schema(cursor, declared, [path])

    assert read(cursor, declared, [path], schema) == [("1", 2.0)]


def test_a_csv_without_header_keeps_its_first_row(cursor, write):
    path = write("a.csv", "1,2\n3,4\n")
    schema = source_schema(cursor, source(), [path])

    check_source_files(cursor, source(), [path], schema)
    assert read(cursor, source(), [path], schema) == [(1, 2), (3, 4)]


def test_a_quoted_and_compressed_csv_is_read(cursor, write):
    path = write("a.csv.gz", '"id","a ""b"", c"\n1,"x, y"\n')
    schema = source_schema(cursor, source(), [path])

    check_source_files(cursor, source(), [path], schema)
    assert [column.name for column in schema] == ["id", 'a "b", c']
    assert read(cursor, source(), [path], schema) == [(1, "x, y")]


@pytest.mark.parametrize(
    ("header", "differences"),
    [
        ("id,n,extra", {"extra": "not in the source"}),
        ("id", {"n": "missing"}),
        ("id,m", {"n": "missing", "m": "not in the source"}),
        ("n,id", {"order": "n, id", "in the source": "id, n"}),
    ],
)
def test_a_csv_with_another_header_departs(cursor, write, header, differences):
    path = write("b.csv", f"{header}\n")

    with pytest.raises(SourceDeparts, match=r"b\.csv") as raised:
        check_source_files(cursor, source(), [path], columns(id="BIGINT", n="BIGINT"))

    assert raised.value.facts == differences


@pytest.mark.parametrize("header", ["id,n", "ID,N", "\ufeffid,n", "id;n", '"id","n"', " id , n"])
def test_a_header_is_compared_by_its_names_alone(cursor, write, header):
    path = write("b.csv", f"{header}\n")

    check_source_files(cursor, source(), [path], columns(id="BIGINT", n="BIGINT"))


def test_names_that_duckdb_made_up_are_no_difference(cursor, write):
    path = write("a.csv", "id,,id\n1,2,3\n")
    schema = source_schema(cursor, source(), [path])

    check_source_files(cursor, source(), [path], schema)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,n\n1,2\nx,3\n", "x"),
        ("id,n\n1,2\n1,2,3\n", "a.csv"),
        (b"id,n\n1,\xff\xfe\n", "utf-8"),
    ],
)
def test_a_row_that_does_not_fit_is_named(cursor, write, text, said):
    path = write("a.csv", text)

    with pytest.raises(SourceUnreadable, match=said) as raised:
        read(cursor, source(), [path], columns(id="BIGINT", n="VARCHAR"))

    assert str(path) in raised.value.headline
    assert "\n" not in raised.value.facts["reason"]


EVEN = "id,n\n" + "1,2\n" * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,n\n1,2\n2,3,9,9\n", "line 3: It has 4 columns, the first line 2."),
        ("id;n\n1;2\n3\n4;5\n", "line 3: It has 1 column, the first line 2."),
        (EVEN + '"a\nb",4\n1,2,3,4\n', "line 7: It has 4 columns, the first line 2."),
        ("\ufeffid,n\n1,2\n1,2,3\n", "line 3: It has 3 columns, the first line 2."),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_row_of_another_width_is_named_at_the_first_look_and_later(
    cursor, write, text, said, name
):
    path = write(name, text)

    with pytest.raises(SourceUnreadable) as raised:
        source_schema(cursor, source(), [path])
    assert raised.value.facts == {"reason": said}

    with pytest.raises(SourceUnreadable) as raised:
        read(cursor, source(), [path], columns(id="BIGINT", n="BIGINT"))
    assert raised.value.facts["reason"].startswith(said.partition(":")[0])


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "a\n1\n2\n",
        "said\nhello, world\nyes, no, perhaps\n",
        "hello, world\nyes, no, perhaps\n",
        "Report of May, all stores\n\na,b,c\n1,2,3\n4,5,6\n",
    ],
)
def test_what_can_be_read_is_not_refused_for_its_form(cursor, write, text):
    assert source_schema(cursor, source(), [write("a.csv", text)])


def test_rows_may_differ_where_the_options_say_how_they_are_read(cursor, write):
    path = write("a.csv", "id,n\n1,2\n2,3,9,9\n")
    lenient = source(read_options=(("ignore_errors", "true"), ("header", "true")))

    assert source_schema(cursor, lenient, [path])


@pytest.mark.parametrize("text", ["", "\n\n", " \n"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.json"])
def test_a_file_without_data_is_told_to_be_empty(cursor, write, text, name):
    path = write(name, text)
    empty = source("json" if name == "a.json" else "csv")

    with pytest.raises(SourceUnreadable) as raised:
        source_schema(cursor, empty, [path])

    assert raised.value.facts == {"reason": "It is empty."}


def test_one_empty_file_among_others_is_told_to_be_empty(cursor, write):
    first, second = write("a.csv", "id,n\n1,2\n"), write("b.csv", "")

    with pytest.raises(SourceUnreadable, match=r"b\.csv") as raised:
        check_source_files(cursor, source(), [first, second], columns(id="BIGINT", n="BIGINT"))

    assert raised.value.facts == {"reason": "It is empty."}


def test_a_header_that_is_not_utf8_is_unreadable(cursor, write):
    path = write("a.csv", "größe\n1\n".encode("latin-1"))

    with pytest.raises(SourceUnreadable, match="not UTF-8"):
        check_source_files(cursor, source(), [path], columns(größe="BIGINT"))


def test_other_errors_pass(cursor, write):
    with pytest.raises(duckdb.BinderException), source_errors([write("a.csv", "a\n1\n")]):
        cursor.execute("select nothing")


def test_json_is_read_by_key(cursor, write):
    first = write("a.json", '{"a": 1, "b": {"c": [1]}}\n{"b": null}\n')
    schema = source_schema(cursor, source("json"), [first])

    check_source_files(cursor, source("json"), [first], schema)
    assert schema == columns(a="BIGINT", b="STRUCT(c BIGINT[])")
    assert read(cursor, source("json"), [first], schema) == [(1, {"c": [1]}), (None, None)]

    other = write("b.json", '{"a": 1, "z": 2}\n')
    with pytest.raises(SourceDeparts) as raised:
        check_source_files(cursor, source("json"), [other], schema)
    assert raised.value.facts == {"z": "BIGINT, not in the source"}


def test_parquet_departs_by_name_and_type(cursor, tmp_path):
    def written(name, query):
        cursor.execute(f"copy ({query}) to '{tmp_path / name}' (format parquet)").fetchall()
        return tmp_path / name

    first = written("a.parquet", "select 1 as a, 'x' as b")
    turned = written("b.parquet", "select 'y' as b, 2 as a")
    other = written("c.parquet", "select 1.5 as a, 'x' as c")
    schema = source_schema(cursor, source("parquet"), [first])

    check_source_files(cursor, source("parquet"), [first, turned], schema)
    assert read(cursor, source("parquet"), [first, turned], schema) == [(1, "x"), (2, "y")]
    with pytest.raises(SourceDeparts) as raised:
        check_source_files(cursor, source("parquet"), [other], schema)
    assert raised.value.facts == {
        "c": "VARCHAR, not in the source",
        "a": "DECIMAL(2,1), in the source INTEGER",
        "b": "missing",
    }


@pytest.mark.parametrize(
    ("departing", "difference"),
    [
        ("select 'x' as b, 2.5::double as a", {"a": "DOUBLE, in the source INTEGER"}),
        ("select 'x' as b", {"a": "missing"}),
        ("select 2 as a, 'x' as b, 1 as c", {"c": "INTEGER, not in the source"}),
        ("select 2 as a, 'x'::blob as b", {"b": "BLOB, in the source VARCHAR"}),
        ("select 2::uinteger as a, 'x' as b", {"a": "UINTEGER, in the source INTEGER"}),
        ("select 2::decimal(9, 2) as a, 'x' as b", {"a": "DECIMAL(9,2), in the source INTEGER"}),
    ],
)
def test_one_of_many_parquet_files_departs(cursor, tmp_path, departing, difference):
    paths = [tmp_path / f"it's {number}.parquet" for number in range(6)]
    for number, path in enumerate(paths):
        query = departing if number in (4, 5) else f"select {number} as a, 'x' as b"
        text = str(path).replace("'", "''")
        cursor.execute(f"copy ({query}) to '{text}' (format parquet)").fetchall()
    schema = source_schema(cursor, source("parquet"), paths[:1])

    check_source_files(cursor, source("parquet"), paths[:4], schema)
    with pytest.raises(SourceDeparts, match=r"4\.parquet") as raised:
        check_source_files(cursor, source("parquet"), paths, schema)

    assert raised.value.facts == difference


def test_one_of_many_parquet_files_is_broken(cursor, tmp_path):
    paths = [tmp_path / f"{number}.parquet" for number in range(4)]
    for path in paths:
        cursor.execute(f"copy (select 1 as a) to '{path}' (format parquet)").fetchall()
    paths[2].write_text("no parquet")

    with pytest.raises(SourceUnreadable, match=r"2\.parquet"):
        check_source_files(cursor, source("parquet"), paths, columns(a="INTEGER"))


def test_declared_types_hold_for_each_parquet_file(cursor, tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, value in zip(paths, ("1::integer", "1.6::double"), strict=True):
        cursor.execute(f"copy (select {value} as a) to '{path}' (format parquet)").fetchall()
    schema = columns(a="DOUBLE")

    assert read(cursor, source("parquet", columns=schema), paths, schema) == [(1.0,), (1.6,)]


def test_a_broken_parquet_file_is_unreadable(cursor, write):
    path = write("a.parquet", "no parquet")

    with pytest.raises(SourceUnreadable, match=r"a\.parquet"):
        source_schema(cursor, source("parquet"), [path])


def test_read_options_are_passed_on(cursor, write):
    path = write("a.csv", "1|'a'\n2|NA\n")
    said = source(
        read_options=(("delim", "'|'"), ("header", "false"), ("nullstr", "'NA'"), ("quote", "''''"))
    )

    schema = source_schema(cursor, said, [path])

    assert read(cursor, said, [path], schema) == [(1, "a"), (2, None)]


@pytest.mark.parametrize(
    "option", ["columns", "filename", "union_by_name", "hive_partitioning", "x) --"]
)
def test_an_option_that_changes_the_columns_is_refused(cursor, write, option):
    said = source(read_options=((option, "true"),))

    with pytest.raises(UnknownReadOption):
        source_schema(cursor, said, [write("a.csv", "a\n1\n")])


def test_odd_names_of_columns_and_files_do_no_harm(cursor, write):
    path = write("it's [1]*.csv", 'it\'s,"a""b"\n1,2\n')
    schema = source_schema(cursor, source(), [path])

    assert read(cursor, source(), [path], schema) == [(1, 2)]


def test_a_folder_named_like_a_partition_is_no_column(cursor, tmp_path):
    (tmp_path / "day=1").mkdir()
    path = tmp_path / "day=1" / "a.csv"
    path.write_text("id\n1\n")

    assert source_schema(cursor, source(), [path]) == columns(id="BIGINT")


@pytest.mark.parametrize("quoted_first", [True, False])
def test_values_are_quoted_alike_whichever_file_comes_first(cursor, write, quoted_first):
    plain = write("plain.csv", "id,name\n1,x\n")
    quoted = write("quoted.csv", 'id,name\n2,"p, q"\n')
    paths = [quoted, plain] if quoted_first else [plain, quoted]

    rows = read(cursor, source(), paths, columns(id="INTEGER", name="VARCHAR"))

    assert sorted(rows) == [(1, "x"), (2, "p, q")]
    assert source_schema(cursor, source(), paths) == columns(id="BIGINT", name="VARCHAR")


def test_another_quote_is_declared(cursor, write):
    path = write("a.csv", "id,name\n2,'p, q'\n")
    declared = source(read_options=(("quote", "''''"),))

    assert read(cursor, declared, [path], columns(id="INTEGER", name="VARCHAR")) == [(2, "p, q")]
