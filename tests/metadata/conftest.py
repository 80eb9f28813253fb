"""What the tests of the metadata share."""

import resource
from contextlib import contextmanager

import pytest


@pytest.fixture
def state(tmp_path):
    return tmp_path / ".assetflow"


@pytest.fixture
def full_after():
    """Give a context in which no file can grow beyond a size, as on a full disk."""

    @contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
