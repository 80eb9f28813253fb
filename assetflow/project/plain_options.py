"""What a header declares as values that JSON holds, and back: so it is validated once."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from assetflow.model.asset import Options, Retries
from assetflow.model.checks import Check
from assetflow.model.columns import Column
from assetflow.model.declared_inputs import Input, Location
from assetflow.model.fingerprint import fingerprint
from assetflow.model.freshness import FreshnessPolicy
from assetflow.model.mappings import AllPartitions, Latest, Offset, Trailing
from assetflow.model.partitions import (
    DynamicPartitions,
    ProductPartitions,
    StaticPartitions,
    TimePartitions,
)
from assetflow.model.windows import is_zone

_KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        *(Options, Retries, FreshnessPolicy, Check, Column, Input, Location),
        *(TimePartitions, StaticPartitions, DynamicPartitions, ProductPartitions),
        *(Trailing, Offset, Latest, AllPartitions),
    )
}
"""All that options are made of, beside texts, numbers, tuples, and mappings of names."""

_KIND = ""
"""The key of a table that names its kind. Whatever else has it is not taken apart."""


def _defaults(kind: type) -> dict[str, str]:
    """Return how the default of each field of `kind` is written; the only factory is of dicts."""
    said = signature(kind).parameters.items()
    return {name: repr(one.default).replace("<factory>", "{}") for name, one in said}


_FIELDS = {kind: _defaults(kind) for kind in _KINDS.values()}


def form() -> str:
    """Return a name for all kinds with their fields, whose defaults stand for what is left out."""
    return fingerprint(*(f"{kind.__name__} {said}" for kind, said in _FIELDS.items()))


class NotPlain(Exception):
    """A value that has no plain form."""


def plain(value: object) -> Any:
    """Return `value` in its plain form: a table names its kind, and what is not its default.

    Raises NotPlain where it holds what a header cannot say.
    """
    if value is None or type(value) in (str, int, float, bool):
        return value
    if type(value) is tuple:
        return list(map(plain, value))
    if type(value) in _FIELDS:
        return {_KIND: type(value).__name__, **_said(value)}
    if not isinstance(value, dict) or _KIND in value:
        raise NotPlain
    return {name: plain(one) for name, one in value.items()}


def _said(value: object) -> dict[str, object]:
    """Return the fields of `value` that are not their defaults."""
    told = ((name, getattr(value, name), default) for name, default in _FIELDS[type(value)].items())
    return {name: plain(one) for name, one, default in told if repr(one) != default}


def restored(value: Any) -> Any:
    """Return the value whose plain form is `value`, which is not changed.

    Raises NotPlain where it names a time zone that is not known here.
    """
    if isinstance(value, list):
        return tuple([one if one.__class__ is str else restored(one) for one in value])
    if not isinstance(value, dict):
        return value
    said = {
        name: one if one.__class__ is str else restored(one) for name, one in value.items() if name
    }
    if _KIND not in value:
        return said
    if said.get("timezone") and not is_zone(said["timezone"]):
        raise NotPlain
    return _KINDS[value[_KIND]](**said)
