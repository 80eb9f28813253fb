"""What a materialization is made from, and the key: the fingerprint of that."""

from collections.abc import Iterable

from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import CodeVersion, Key, PartitionKey
from assetflow.planning.history import InputRead


def key_of(
    code_version: CodeVersion,
    partition: PartitionKey,
    settings: Iterable[tuple[str, str]],
    inputs: Iterable[InputRead],
) -> Key:
    """Return the key: equal for equal code, partition, settings and content of what is read.

    Of an input counts its name in the code, form, mapping, partitions, read-set and the
    digest of exactly that; not which asset or version it came from.
    """
    read = [
        fingerprint(
            use.name,
            use.form,
            use.mapping,
            fingerprint(*use.partitions),
            read_set_text(use.read_set),
            use.digest,
        )
        for use in sorted(inputs, key=lambda use: use.name)
    ]
    named = [fingerprint(name, value) for name, value in sorted(settings)]
    return Key(fingerprint(code_version, partition, fingerprint(*named), *read))


def read_set_text(read_set: ReadSet) -> str:
    """Return one text for a read-set: everything is told from any set of columns."""
    kind = "all" if read_set.columns is None else "some"
    return fingerprint(kind, str(read_set.ordered), *(read_set.columns or ()))
