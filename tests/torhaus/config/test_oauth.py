"""How AI clients sign in, as the file says it."""

from hashlib import sha256
from pathlib import Path

import pytest

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.model.oauth import AuthorizationServer

WORD = "a-long-and-random-secret-of-one-client"


def loaded(server: str, name: str = "t.yml") -> Loaded:
    return load_text(f"auth: {{server: {server}}}", name, {"WORD": WORD})


def test_without_a_word_clients_sign_in_as_they_are_used_to() -> None:
    found = load_text("{}", "t.yml", {}).settings.oauth

    assert found == AuthorizationServer()
    assert (found.access, found.idle, found.longest) == (900, 30 * 86400, 90 * 86400)
    assert (found.require_resource, found.documents, found.fetch) == (True, True, False)


def test_everything_can_be_said() -> None:
    found = loaded(
        "{enabled: true, require_resource: false, access_token: 20m, "
        "refresh_token: {idle: 7d, longest: 30d}, cimd: {enabled: true, fetch: true}, "
        "dcr: {enabled: false, rate: 5, redirect_uris: ['myapp://callback']}}"
    ).settings.oauth

    assert (found.access, found.idle, found.longest) == (1200, 7 * 86400, 30 * 86400)
    assert (found.require_resource, found.fetch, found.registration) == (False, True, False)
    assert found.rate == 5
    assert "myapp://callback" in found.programs


def test_a_client_of_the_file_has_its_port_and_only_the_digest_of_its_secret(
    tmp_path: Path,
) -> None:
    (tmp_path / "word").write_text(WORD + "\n")
    config = loaded(
        "{clients: [{id: agent, callback_port: 8765}, {id: web, name: The web, "
        "redirect_uris: ['https://app.example/cb'], secret_file: word}]}",
        str(tmp_path / "t.yml"),
    )

    agent, web = config.settings.oauth.clients

    assert (agent.kind, agent.name, agent.method, agent.ports) == ("file", "agent", "none", (8765,))
    assert agent.redirect_uris == ("http://localhost/callback", "http://127.0.0.1/callback")
    assert (web.name, web.secret) == ("The web", sha256(WORD.encode()).digest())
    assert WORD in [each.reveal() for each in config.secrets]
    assert WORD not in repr(config.settings)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("{enabeld: true}", "unknown key"),
        ("{access_token: 5s}", "out of range"),
        ("{refresh_token: {idle: 60d, longest: 30d}}", "cannot be idle for longer"),
        ("{clients: [{id: 'a b'}]}", "not a client's id"),
        ("{clients: [{id: dcr_x}]}", "of clients that register"),
        ("{clients: [{id: a}, {id: a}]}", "stands in the list already"),
        ("{clients: [{id: a, redirect_uris: []}]}", "the list is empty"),
        ("{clients: [{id: a, redirect_uris: ['http://app.example/cb']}]}", "cannot be gone back"),
        ("{clients: [{id: a, redirect_uris: ['javascript:/x']}]}", "cannot be gone back"),
        ("{clients: [{id: a, callback_port: 0}]}", "out of range"),
        ("{dcr: {redirect_uris: ['https://app.example/cb']}}", "not a program's address"),
        ("{dcr: {redirect_uris: ['data:/x']}}", "not a program's address"),
        ("{cimd: {fetch: maybe}}", "cimd.fetch"),
        ("{id_jag: [okta]}", "no OpenID provider of this name"),
    ],
)
def test_a_mistake_is_named(server: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(server)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("{access_token: 5m}", "refreshes before every call"),
        ("{clients: [{id: a, secret: short}]}", "can be guessed"),
    ],
)
def test_a_doubt_is_told(server: str, said: str) -> None:
    assert any(said in each.message for each in loaded(server).warnings)


def test_providers_that_may_let_clients_in_are_named() -> None:
    text = """
auth:
  oauth: {issuer: "https://idp.example", client_id: torhaus}
  server: {id_jag: [oauth]}
"""

    assert load_text(text, "t.yml", {}).settings.oauth.assertions == ("oauth",)
