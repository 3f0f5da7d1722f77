"""Secrets that the file names and others keep."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError, FaultError
from torhaus.config.references import REFRESH, SCHEMES, References
from torhaus.model.servers import HttpAddress, StdioAddress


class Keeper:
    """Somebody who keeps secrets, under `vault:`."""

    def __init__(self) -> None:
        self.secrets = {"mcp/github#token": "canary-one"}
        self.asked: list[str] = []
        self.now = 0.0
        self.references = References({}, self.clock, {**SCHEMES, "vault": self.keep})

    def clock(self) -> float:
        return self.now

    def keep(self, what: str, _environ: Mapping[str, str], _base: Path) -> str:
        self.asked.append(what)
        if what not in self.secrets:
            raise FaultError("Vault has no such secret", "check mount and path")
        return self.secrets[what]

    def read(self, token: str, environ: Mapping[str, str] | None = None) -> Loaded:
        text = (
            "mcpServers:\n  github:\n    url: https://mcp.example.org/mcp\n"
            f"    auth: {{type: bearer, token: {token}}}\n"
        )
        return load_text(text, "t.yml", environ or {}, references=self.references)


def shown(loaded: Loaded) -> str:
    address = loaded.rules.servers["github"].address
    assert isinstance(address, HttpAddress)
    return address.headers[0][1].reveal()


TOKEN = "'vault:mcp/github#token'"


def test_a_reference_becomes_the_secret_and_is_masked_like_any_other() -> None:
    loaded = Keeper().read(TOKEN)

    assert shown(loaded) == "Bearer canary-one"
    assert [each.reveal() for each in loaded.secrets] == ["canary-one"]
    assert "canary" not in repr(loaded)


def test_it_is_asked_for_once_and_again_after_a_while() -> None:
    keeper = Keeper()
    keeper.read(TOKEN)
    keeper.read(TOKEN)
    assert len(keeper.asked) == 1
    assert not keeper.references.stale()

    keeper.secrets["mcp/github#token"] = "canary-two"
    assert shown(keeper.read(TOKEN)) == "Bearer canary-one"
    keeper.now += REFRESH
    assert keeper.references.stale()
    assert not keeper.references.stale()
    assert shown(keeper.read(TOKEN)) == "Bearer canary-two"
    assert len(keeper.asked) == 2


def test_where_nobody_answers_any_more_the_old_value_stays_and_that_is_said() -> None:
    keeper = Keeper()
    keeper.read(TOKEN)
    keeper.secrets.clear()
    keeper.now += REFRESH

    assert not keeper.references.stale()
    loaded = keeper.read(TOKEN)

    assert shown(loaded) == "Bearer canary-one"
    (warning,) = [each for each in loaded.warnings if "the value of before stays" in each.message]
    assert (warning.line, warning.path) == (4, "mcpServers.github.auth.token")


def test_the_first_time_it_is_an_error_with_its_line() -> None:
    keeper = Keeper()
    with pytest.raises(ConfigError) as caught:
        keeper.read("'vault:mcp/other#token'")

    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (4, "mcpServers.github.auth.token")
    assert (problem.message, problem.fix) == ("Vault has no such secret", "check mount and path")


def test_what_a_variable_holds_is_never_a_reference() -> None:
    keeper = Keeper()
    loaded = keeper.read("'${TOKEN}'", {"TOKEN": "vault:mcp/github#token"})

    assert shown(loaded) == "Bearer vault:mcp/github#token"
    assert keeper.asked == []


def test_variables_may_stand_in_a_reference_but_not_in_a_command() -> None:
    keeper = Keeper()

    assert shown(keeper.read("'vault:mcp/${NAME}#token'", {"NAME": "github"})).endswith("one")
    with pytest.raises(ConfigError, match="without variables"):
        keeper.read("'exec:cat ${FILE}'", {"FILE": "/etc/passwd; rm -rf /"})


def test_only_places_for_secrets_hold_references(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary-file\n")
    text = (
        "server: {data_dir: 'file:secret'}\n"
        "mcpServers:\n  local:\n    command: python\n    args: ['file:secret']\n"
        "    env: {TOKEN: 'file:secret'}\n"
        "users: [{email: a@example.org, role: r, api_keys: ['file:secret']}]\nroles: {r: {}}\n"
    )
    loaded = load_text(text, str(tmp_path / "t.yml"), {})

    address = loaded.rules.servers["local"].address
    assert isinstance(address, StdioAddress)
    assert address.args == ("file:secret",)
    assert address.env[0][1].reveal() == "canary-file"
    assert str(loaded.settings.data_dir) == "file:secret"
    assert len(loaded.rules.keys) == 1


@pytest.mark.parametrize("value", ["", "\n", "x" * 70_000, "a\0b"])
def test_what_cannot_be_a_secret_is_refused(value: str) -> None:
    keeper = Keeper()
    keeper.secrets["mcp/github#token"] = value

    with pytest.raises(ConfigError, match="empty, too large, or no text"):
        keeper.read(TOKEN)
