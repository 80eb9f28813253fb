"""What an asset declares as part of its code beside the code: files, packages, variables."""

import hashlib
import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assetflow.errors import BrokenExtra
from assetflow.model.asset import Asset, PythonBody
from assetflow.model.fingerprint import fingerprint


def extra_parts(asset: Asset, root: Path) -> tuple[tuple[str, str], ...]:
    """Return the named fingerprints of what `asset` adds to its code version.

    `files` are globs relative to `root`. Values of `env` enter as fingerprints, so that
    no secret is stored. Of what is said about partitions only `partition_by` enters, and
    the `timezone` of its times: they decide which rows of a batch a partition gets. Declared
    columns enter where a function's rows take their types; a query has its own. Raises
    BrokenExtra for a file or package that is not there.
    """
    options = asset.options
    salt = [("version", options.version)] if options.version else []
    digits = [("float_digits", str(options.float_digits))] if options.float_digits else []
    columns = (
        [("columns", fingerprint(*(part for c in options.columns for part in c[:2])))]
        if options.columns and isinstance(asset.body, PythonBody)
        else []
    )
    column = options.partition_by
    partition_by = [("partition_by", column)] if column else []
    if column and options.timezone:
        partition_by.append(("timezone", options.timezone))
    return (
        *salt,
        *digits,
        *columns,
        *partition_by,
        *(_package(asset, name) for name in options.packages),
        *(part for pattern in options.files for part in _files(asset, root, pattern)),
        *((f"env {name}", fingerprint(os.environ.get(name, ""))) for name in options.env),
    )


def _package(asset: Asset, name: str) -> tuple[str, str]:
    try:
        return f"package {name}", version(name)
    except PackageNotFoundError:
        raise BrokenExtra("package", name, asset.name, str(asset.location)) from None


def _files(asset: Asset, root: Path, pattern: str) -> Iterator[tuple[str, str]]:
    found = [path for path in sorted(root.glob(pattern)) if path.is_file()]
    if not found:
        raise BrokenExtra("file", pattern, asset.name, str(asset.location))
    for path in found:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        yield f"file {path.relative_to(root).as_posix()}", content
