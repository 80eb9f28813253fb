"""Which freshness policy holds for each asset and source, and where it stands. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from assetflow.errors import DefinitionError, TwoFreshnessPolicies, UnusedFreshness
from assetflow.model.asset import Asset, Options, Source
from assetflow.model.freshness import FreshnessPolicy, StatedPolicy
from assetflow.model.names import AssetName

Policies = Mapping[str, FreshnessPolicy]
"""By the name of a group, or of a tag."""


def stated_policies(
    things: Iterable[Asset | Source], groups: Policies, tags: Policies
) -> dict[AssetName, StatedPolicy]:
    """Return the policy of each asset and source that has one: its own, its group's, its tag's.

    One that says "none" has none, whatever its group and its tags have.
    What is upstream or downstream of it inherits nothing.
    """
    found = {thing.name: _stated(thing, groups, tags) for thing in things}
    return {name: stated for name, stated in found.items() if stated is not None}


def policy_errors(
    things: Collection[Asset | Source],
    groups: Policies,
    tags: Policies,
    place: Callable[[str, str], object],
) -> Iterator[DefinitionError]:
    """Yield what is wrong with the policies of the settings.

    `place` says where the one of a ("group" or "tag", name) stands.
    """
    used = {"group": {_about(one).group for one in things}}
    used["tag"] = {tag for one in things for tag in _about(one).tags}
    for kind, policies in (("group", groups), ("tag", tags)):
        for name in sorted(policies.keys() - used[kind]):
            yield UnusedFreshness(kind, name, sorted(used[kind] - {""}), place(kind, name))
    for thing in things:
        about = _about(thing)
        named = [tag for tag in about.tags if tag in tags]
        is_clear = about.freshness is not None or about.group in groups
        if not is_clear and len({tags[tag] for tag in named}) > 1:
            yield TwoFreshnessPolicies(thing.name, named, thing.location)


def _about(thing: Asset | Source) -> Options | Source:
    return thing.options if isinstance(thing, Asset) else thing


def _stated(thing: Asset | Source, groups: Policies, tags: Policies) -> StatedPolicy | None:
    about = _about(thing)
    if about.freshness is not None:
        return None if about.freshness.is_none else StatedPolicy(about.freshness)
    if about.group in groups:
        return StatedPolicy(groups[about.group], f"group {about.group}")
    tag = next((tag for tag in about.tags if tag in tags), None)
    return None if tag is None else StatedPolicy(tags[tag], f"tag {tag}")
