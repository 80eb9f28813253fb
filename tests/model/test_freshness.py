"""Freshness policies as users write them."""

import pytest

from assetflow import Freshness, asset, source
from assetflow.errors import AssetflowError
from assetflow.model.declare import collecting
from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.options import FunctionOptions, HeaderOptions
from tests.golden import assert_golden

WRITTEN = {
    "max_lag": ({"max_lag": "6h"}, FreshnessPolicy(21600.0)),
    "max_lag_in_seconds": ({"max_lag": 90}, FreshnessPolicy(90.0)),
    "warning": ({"max_lag": "6h", "warn_lag": "5h"}, FreshnessPolicy(21600.0, 18000.0)),
    "deadline": (
        {"deadline": "0  7 * * 1-5", "within": "1d"},
        FreshnessPolicy(deadline="0 7 * * 1-5", within_seconds=86400.0),
    ),
    "both": (
        {
            "max_lag": "2d",
            "deadline": "0 7 * * *",
            "within": "1h30m",
            "timezone": "Europe/Berlin",
            "on_overdue": "materialize",
            "slo": 0.99,
        },
        FreshnessPolicy(172800.0, None, "0 7 * * *", 5400.0, "Europe/Berlin", "materialize", 0.99),
    ),
}
WRONG = {
    "nothing": {},
    "no_duration": {"max_lag": "6 hours"},
    "no_time_at_all": {"max_lag": 0},
    "negative": {"max_lag": -60},
    "more_than_a_life": {"max_lag": "400000d"},
    "no_such_word": "off",
    "misspelled": {"max_lagg": "6h"},
    "warns_too_late": {"max_lag": "6h", "warn_lag": "6h"},
    "warns_of_nothing": {"deadline": "0 7 * * *", "within": "1d", "warn_lag": "1h"},
    "no_cron": {"deadline": "every morning", "within": "1d"},
    "never_fires": {"deadline": "0 0 30 2 *", "within": "1d"},
    "deadline_alone": {"deadline": "0 7 * * *"},
    "within_alone": {"max_lag": "6h", "within": "1d"},
    "unknown_zone": {"deadline": "0 7 * * *", "within": "1d", "timezone": "Europe/Atlantis"},
    "zone_of_no_deadline": {"max_lag": "6h", "timezone": "Europe/Berlin"},
    "unknown_action": {"max_lag": "6h", "on_overdue": "run"},
    "more_than_always": {"max_lag": "6h", "slo": 99},
}


@pytest.mark.parametrize(("written", "policy"), WRITTEN.values(), ids=WRITTEN)
def test_a_policy_is_the_same_in_the_header_and_the_decorator(written, policy):
    assert HeaderOptions(freshness=written).frozen().freshness == policy
    assert FunctionOptions(freshness=Freshness(**written)).frozen().freshness == policy


def test_an_asset_or_source_can_say_that_none_holds_for_it():
    for options in (HeaderOptions, FunctionOptions):
        assert options(freshness="none").frozen().freshness == FreshnessPolicy()
        assert options().frozen().freshness is None
    assert source("raw", path="raw.csv", freshness="none").freshness.is_none


def test_assets_and_sources_have_policies(tmp_path):
    with collecting(tmp_path) as found:
        source("raw", path="raw.csv", freshness=Freshness(max_lag="1h"))

        @asset(freshness=Freshness("6h"))
        def made(raw):
            return raw

    assert found.errors == []
    assert found.sources[0].freshness == FreshnessPolicy(3600.0)
    assert found.functions[0].declarations[0].options.freshness == FreshnessPolicy(21600.0)


@pytest.mark.parametrize(("name", "written"), WRONG.items(), ids=WRONG)
def test_a_policy_that_cannot_be_meant_is_told(name, written):
    said = []
    is_meant = isinstance(written, dict) and written.keys() <= {*Freshness._fields}
    for policy in (written, *([Freshness(**written)] if is_meant else [])):
        with pytest.raises(AssetflowError) as error:
            source("raw", path="raw.csv", freshness=policy)
        said.append(str(error.value).replace(str(error.value.facts["defined in"]), "<place>"))

    assert_golden(f"bad_input/freshness_{name}", "\n\n".join(said) + "\n")


def test_a_policy_shows_only_what_was_said():
    assert repr(Freshness("6h", slo=0.9)) == "Freshness(max_lag='6h', slo=0.9)"
