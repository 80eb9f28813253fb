from datetime import date
from enum import Enum

import pytest
from pydantic import ValidationError

from assetflow.model.config import Config, Secret, config_key


class Region(Enum):
    EUROPE = "eu"


class Inner(Config):
    rate: float = 1.5
    password: Secret = Secret("p")


class ApiConfig(Config):
    url: str = "http://x"
    token: Secret = Secret("t")
    since: date = date(2026, 1, 1)
    region: Region = Region.EUROPE
    shops: frozenset[str] = frozenset({"b", "a", "c"})
    inner: Inner = Inner()
    others: tuple[Secret, ...] = (Secret("u"),)


def test_the_key_holds_every_value_but_the_secrets():
    assert config_key(ApiConfig()) == (
        ("inner", '{"rate":1.5}'),
        ("others", "[]"),
        ("region", '"eu"'),
        ("shops", '["a","b","c"]'),
        ("since", '"2026-01-01"'),
        ("url", '"http://x"'),
    )


def test_another_secret_has_the_same_key():
    other = ApiConfig(
        token=Secret("another"), inner=Inner(password=Secret("")), others=(Secret("v"),)
    )

    assert config_key(other) == config_key(ApiConfig())


@pytest.mark.parametrize(
    "changed", [{"url": "http://y"}, {"inner": Inner(rate=1.0)}, {"shops": frozenset("ab")}]
)
def test_another_value_has_another_key(changed):
    assert config_key(ApiConfig(**changed)) != config_key(ApiConfig())


def test_a_secret_is_shown_nowhere():
    config = ApiConfig(token=Secret("hidden"))

    assert "hidden" not in repr(config) + str(config.token) + config.model_dump_json()
    assert config.token.reveal() == "hidden"


def test_a_config_cannot_be_changed_and_has_no_other_fields():
    with pytest.raises(ValidationError):
        ApiConfig(urll="x")
    with pytest.raises(ValidationError):
        ApiConfig().url = "y"
