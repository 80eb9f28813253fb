"""What a materialization is made from, and the key: the fingerprint of that."""

from collections.abc import Iterable, Sequence

from assetflow.model.columns import ReadSet
from assetflow.model.fingerprint import fingerprint
from assetflow.model.names import CodeVersion, Digest, Key, PartitionKey
from assetflow.planning.history import InputRead


def key_of(
    code_version: CodeVersion,
    partition: PartitionKey,
    window: str,
    settings: Iterable[tuple[str, str]],
    inputs: Iterable[InputRead],
) -> Key:
    """Return the key: equal for equal code, partition, window, settings and content read.

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
    where = f"{partition} {window}" if window else partition
    return Key(fingerprint(code_version, where, fingerprint(*named), *read))


def digest_of_parts(digests: Sequence[Digest]) -> Digest:
    """Return one digest for what is read of several partitions, in their order."""
    return digests[0] if len(digests) == 1 else Digest(fingerprint("parts", *digests))


def read_set_text(read_set: ReadSet) -> str:
    """Return one text for a read-set: everything is told from any set of columns."""
    kind = "all" if read_set.columns is None else "some"
    return fingerprint(kind, str(read_set.ordered), *(read_set.columns or ()))
