"""One short name for a sequence of texts."""

import hashlib

FINGERPRINT_LENGTH = 32


def fingerprint(*parts: str) -> str:
    """Return one short name (32 hex digits of SHA-256) for `parts`, their order and boundaries.

    Each part is hashed behind its length, so that parts can never run into one another:

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    text = "".join([f"{len(part)}:{part}" for part in parts])
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:FINGERPRINT_LENGTH]
