"""Runs share the state folder; what removes versions has it alone."""

import pytest

from assetflow.errors import StateBusy
from assetflow.metadata.presence import exclusive, run_presence


def test_many_runs_are_present_at_once_and_keep_gc_out(state):
    with run_presence(state), run_presence(state), pytest.raises(StateBusy, match="gc"):
        exclusive(state).__enter__()
    with exclusive(state):
        pass


def test_gc_keeps_runs_out(state):
    with exclusive(state):
        with pytest.raises(StateBusy, match="run"), run_presence(state, wait_seconds=0.05):
            pass
        with pytest.raises(StateBusy), exclusive(state):
            pass
    with run_presence(state):
        pass
