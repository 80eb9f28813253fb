"""Which policy holds for what, and where it stands."""

import pytest

from assetflow.model.asset import Asset, Location, Options, Source, SqlBody
from assetflow.model.freshness import FreshnessPolicy, StatedPolicy
from assetflow.planning.stated_policies import policy_errors, stated_policies
from tests.golden import assert_golden

OWN, MARTS, DAILY, HOURLY = (FreshnessPolicy(seconds) for seconds in (1.0, 2.0, 3.0, 4.0))


def assets(**options):
    return [
        Asset(name, SqlBody("select 1"), Location(f"shop/{name}.sql"), (), one)
        for name, one in options.items()
    ]


def test_its_own_goes_before_its_groups_and_that_before_its_tags():
    found = stated_policies(
        [
            Source("raw", Location("shop/s.py"), path="r.csv", tags=("daily",)),
            *assets(
                own=Options(freshness=OWN, group="marts", tags=("daily",)),
                mart=Options(group="marts", tags=("daily",)),
                tagged=Options(group="staging", tags=("pii", "daily")),
                free=Options(group="staging"),
                out=Options(freshness=FreshnessPolicy(), group="marts", tags=("daily",)),
            ),
        ],
        {"marts": MARTS},
        {"daily": DAILY},
    )

    assert found == {
        "raw": StatedPolicy(DAILY, "tag daily"),
        "own": StatedPolicy(OWN, "itself"),
        "mart": StatedPolicy(MARTS, "group marts"),
        "tagged": StatedPolicy(DAILY, "tag daily"),
    }


def place(kind, name):
    return "pyproject.toml:3"


@pytest.mark.parametrize(
    ("name", "options"),
    {
        "freshness_of_a_group_that_nothing_has": Options(group="mart", tags=("daily", "hourly")),
        "freshness_of_two_tags": Options(tags=("daily", "hourly")),
    }.items(),
    ids=str,
)
def test_policies_of_the_settings_that_cannot_be_meant_are_told(name, options):
    groups = {"marts": MARTS} if options.group else {}
    tags = {"daily": DAILY, "hourly": DAILY if options.group else HOURLY}

    errors = list(policy_errors(assets(orders=options), groups, tags, place))

    assert_golden(f"bad_input/{name}", "\n\n".join(map(str, errors)) + "\n")


def test_a_policy_of_its_own_settles_which_of_two_tags_holds():
    for policy in (OWN, FreshnessPolicy()):
        one = assets(orders=Options(tags=("daily", "hourly"), freshness=policy))

        assert not list(policy_errors(one, {}, {"daily": DAILY, "hourly": HOURLY}, place))
