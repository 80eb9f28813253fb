"""A failing disk is told apart from a failing query."""

import errno
import os
from pathlib import Path

import duckdb
import pytest

from assetflow.errors import DiskFull, NotWritable
from assetflow.warehouse.disk import disk_errors

PATH = Path("/state/data/orders/_/v1.parquet")


def system_error(code, path):
    return OSError(code, os.strerror(code), str(path))


@pytest.mark.parametrize(
    ("raised", "shown"),
    [
        (system_error(errno.ENOSPC, PATH), DiskFull),
        (system_error(errno.EDQUOT, "/elsewhere"), DiskFull),
        (system_error(errno.EFBIG, PATH), DiskFull),
        (system_error(errno.EROFS, PATH.parent), NotWritable),
        (system_error(errno.EACCES, PATH), NotWritable),
        (system_error(errno.EACCES, "/elsewhere"), PermissionError),
        (duckdb.IOException(f'Could not write file "{PATH}": No space left on device'), DiskFull),
        (duckdb.IOException(f'Could not write file "{PATH}": File too large'), DiskFull),
        (duckdb.OutOfMemoryException("failed to offload data block of size 1"), DiskFull),
        (duckdb.IOException(f'Cannot open file "{PATH}": Permission denied'), NotWritable),
        (duckdb.IOException('Cannot open file "/x": Permission denied'), duckdb.IOException),
        (duckdb.ConversionException("x"), duckdb.ConversionException),
    ],
)
def test_the_disk_is_blamed_only_where_it_failed(raised, shown):
    with pytest.raises(shown), disk_errors(PATH):
        raise raised
