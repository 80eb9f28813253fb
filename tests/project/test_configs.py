import pytest
from pydantic import model_validator

from assetflow.errors import ProjectErrors
from assetflow.model.config import Config, Secret
from assetflow.project.configs import load_config, section_names
from assetflow.project.settings import Settings
from tests.project.written import messages, text


class Inner(Config):
    password: Secret = Secret("")
    port: int = 80


class ApiConfig(Config):
    url: str = "http://x"
    retries: int = 3
    shops: tuple[str, ...] = ()
    token: Secret | None = None
    inner: Inner = Inner()


class NeedsToken(Config):
    token: Secret


def settings_of(config=None, environments=None):
    return Settings(package="shop", config=config or {}, environments=environments or {})


def loaded(cls, config=None, *, dev=None, root=None, reads_secrets=True, **environ):
    settings = settings_of(config, {"dev": {"config": dev}} if dev else None)
    environment = "dev" if dev else "main"
    return load_config(cls, settings, environment, environ, root, reads_secrets=reads_secrets)


def errors_of(*args, **kwargs):
    with pytest.raises(ProjectErrors) as caught:
        loaded(*args, **kwargs)
    return messages(caught.value)


@pytest.mark.parametrize(
    ("name", "section"),
    [("ApiConfig", "api_config"), ("HTTPConfig", "http_config"), ("S3Bucket", "s3_bucket")],
)
def test_a_class_is_named_in_snake_case_too(name, section):
    assert section_names(type(name, (Config,), {})) == (section, name)


@pytest.mark.parametrize("section", ["api_config", "ApiConfig"])
def test_values_come_from_the_settings(section):
    assert loaded(ApiConfig, {section: {"retries": 5}}).retries == 5


def test_an_environment_goes_before_the_project_and_the_process_before_both():
    base = {"api_config": {"url": "base", "retries": 5, "shops": ["a"]}}
    dev = {"ApiConfig": {"url": "dev", "retries": 6}}

    config = loaded(ApiConfig, base, dev=dev, ASSETFLOW_API_CONFIG__RETRIES="7")

    assert (config.url, config.retries, config.shops) == ("dev", 7, ("a",))


def test_a_variable_of_the_process_holds_lists_as_json():
    config = loaded(
        ApiConfig, ASSETFLOW_API_CONFIG__SHOPS='["a", "b"]', ASSETFLOW_API_CONFIG__URL="[x"
    )

    assert (config.shops, config.url) == (("a", "b"), "[x")


def test_a_secret_is_read_where_the_settings_refer_to(tmp_path):
    (tmp_path / "token.txt").write_text("from a file\n", encoding="utf-8")

    by_file = loaded(ApiConfig, {"api_config": {"token": {"file": "token.txt"}}}, root=tmp_path)
    by_variable = loaded(
        ApiConfig, {"api_config": {"token": {"env": "TOKEN"}}}, root=tmp_path, TOKEN="from outside"
    )
    inside = loaded(
        ApiConfig, {"api_config": {"inner": {"password": {"env": "P"}}}}, root=tmp_path, P="deep"
    )
    direct = loaded(NeedsToken, root=tmp_path, ASSETFLOW_NEEDS_TOKEN__TOKEN="[1]")

    assert by_file.token.reveal() == "from a file"
    assert by_variable.token.reveal() == "from outside"
    assert inside.inner.password.reveal() == "deep"
    assert direct.token.reveal() == "[1]"


def test_a_plan_needs_no_secret(tmp_path):
    given = {"needs_token": {"token": {"env": "TOKEN"}}}

    for config in (given, {}):
        made = loaded(NeedsToken, config, root=tmp_path, reads_secrets=False, TOKEN="t")
        assert made.token.reveal() == ""


@pytest.mark.parametrize("reads_secrets", [True, False])
@pytest.mark.parametrize("given", ["abc", {"env": "A", "file": "b"}, {"value": "abc"}, 3])
def test_a_secret_written_out_is_refused_and_not_shown(given, reads_secrets):
    assert errors_of(
        NeedsToken, {"needs_token": {"token": given}}, reads_secrets=reads_secrets
    ) == [
        text("""
            The secret 'token' of config 'NeedsToken' is written out in the settings.
              defined in  the settings
            Refer to it instead: token = { env = "TOKEN" } or { file = "path" }.
        """)
    ]


@pytest.mark.parametrize(
    ("reference", "looked_in"),
    [({"env": "TOKEN"}, "the environment variable TOKEN"), ({"file": "no.txt"}, "the file no.txt")],
)
def test_a_secret_that_is_not_there_says_where_it_was_looked_for(tmp_path, reference, looked_in):
    assert errors_of(NeedsToken, {"needs_token": {"token": reference}}, root=tmp_path) == [
        text(f"""
            The secret 'token' of config 'NeedsToken' was not found.
              looked in  {looked_in}
            Set it there, or correct the reference in the settings.
        """)
    ]


def test_a_config_under_two_names_is_refused():
    assert errors_of(ApiConfig, {"api_config": {}, "ApiConfig": {}}) == [
        text("""
            The settings hold one config under two names: api_config and ApiConfig.
              defined in  the settings
            Keep one of the two tables.
        """)
    ]


def test_values_that_cannot_be_are_told_together_with_their_places():
    found = errors_of(
        ApiConfig,
        {"api_config": {"urll": "x", "token": "abc", "inner": {"port": "high"}}},
        ASSETFLOW_API_CONFIG__RETRIES="many",
    )

    assert found == [
        text("""
            The secret 'token' of config 'ApiConfig' is written out in the settings.
              defined in  the settings
            Refer to it instead: token = { env = "TOKEN" } or { file = "path" }.
        """),
        text("""
            'retries' of config 'ApiConfig' cannot have this value.
              given       'many'
              expected    a valid integer, unable to parse string as an integer
              defined in  the environment variable ASSETFLOW_API_CONFIG__RETRIES
            Change it to what is expected.
        """),
        text("""
            'inner.port' of config 'ApiConfig' cannot have this value.
              given       'high'
              expected    a valid integer, unable to parse string as an integer
              defined in  the settings
            Change it to what is expected.
        """),
        text("""
            'urll' is not a key of config 'ApiConfig'.
              defined in  the settings
            Did you mean 'url'?
        """),
    ]


class Window(Config):
    first: int = 1
    last: int = 0
    token: Secret = Secret("")

    @model_validator(mode="after")
    def _is_in_order(self):
        if self.first > self.last:
            raise ValueError("a first that is not after the last")
        return self


def test_values_that_do_not_fit_together_are_told_without_secrets():
    assert errors_of(Window, {"window": {"first": 3}}, ASSETFLOW_WINDOW__TOKEN="hidden") == [
        text("""
            The table of config 'Window' cannot have this value.
              given       {'first': 3, 'token': Secret('**********')}
              expected    a first that is not after the last
              defined in  the settings
            Change it to what is expected.
        """)
    ]


def test_a_value_that_is_missing_is_told():
    assert errors_of(NeedsToken) == [
        text("""
            'token' of config 'NeedsToken' is missing.
              expected    a value
              defined in  the settings
            Add 'token'.
        """)
    ]
