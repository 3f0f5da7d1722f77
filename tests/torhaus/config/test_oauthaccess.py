"""What `auth: {type: oauth}` means for each tool, for caches, and for links."""

from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.servers import Acting, HttpAddress, OAuthAccess, Server

TOP = "mcpServers:\n  github:\n    url: https://mcp.example.org/mcp\n"
USER = "type: oauth, mode: user"


def server(auth: str, more: str = "", name: str = "t.yml") -> Server:
    return load_text(f"{TOP}    auth: {{{auth}}}\n{more}", name, {}).rules.servers["github"]


def oauth(auth: str, name: str = "t.yml") -> OAuthAccess:
    address = server(auth, name=name).address
    assert isinstance(address, HttpAddress)
    assert address.oauth is not None
    return address.oauth


def test_who_acts_is_said_for_each_tool_and_the_first_that_fits_wins() -> None:
    found = oauth(f"{USER}, accounts: {{get_me: user, 'get_*': shared, List-Repos: shared}}")

    assert found.acting("getme") is Acting.USER
    assert found.acting("getissue") is Acting.SHARED
    assert found.acting("listrepos") is Acting.SHARED
    assert found.acting("createissue") is Acting.USER
    assert found.acting("") is Acting.USER


def test_every_key_has_its_effect(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN KEY-----\nabc\n-----END KEY-----\n")
    found = oauth(
        "type: oauth, mode: client, client_id: torhaus, private_key_file: key.pem, "
        "algorithm: RS256, client_auth: private_key_jwt, scopes: [a, b], audience: api, "
        "resource: 'https://r.example', token_endpoint: 'https://as.example/token'",
        name=str(tmp_path / "t.yml"),
    )

    assert (found.mode, found.client_id, found.algorithm) == (Acting.CLIENT, "torhaus", "RS256")
    assert found.private_key is not None
    assert found.private_key.reveal().startswith("-----BEGIN KEY-----\nabc\n")
    assert (found.scopes, found.audience, found.resource) == (
        ("a", "b"),
        "api",
        "https://r.example",
    )
    assert found.token_endpoint == "https://as.example/token"


@pytest.mark.parametrize(
    ("said", "bound"), [("", None), (", dpop: true", True), (", dpop: false", False)]
)
def test_tokens_are_bound_where_the_file_or_else_the_server_says_so(
    said: str, bound: bool | None
) -> None:
    assert oauth(USER + said).bound is bound


@pytest.mark.parametrize(
    ("auth", "personal"),
    [
        (USER, True),
        ("type: oauth, mode: shared", False),
        ("type: oauth, mode: shared, accounts: {a: user}", True),
        ("type: stored", False),
    ],
)
def test_a_server_is_personal_when_some_calls_use_their_callers_account(
    auth: str, personal: bool
) -> None:
    assert server(auth).personal is personal


def test_another_way_to_get_tokens_is_another_credential() -> None:
    ways = [
        USER,
        "type: oauth, mode: shared",
        f"{USER}, scopes: a",
        f"{USER}, accounts: {{a: user}}",
    ]
    ways += ["type: stored", f"{USER}, client_id: a, client_secret: b"]
    ways += [f"{USER}, client_id: a, client_secret: c"]

    assert len({server(each).credential for each in ways}) == len(ways)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("    cache: {ttl: 5m, type: shared}\n", "mcpServers.github.cache.type"),
        ("caching: {github: {get_me: {ttl: 5m, type: shared}}}\n", "caching.github.get_me.type"),
        ("caching: {github.get_me: {ttl: 5m, type: shared}}\n", "caching.github.get_me.type"),
        ("caching: {github: {ttl: 5m, type: shared}}\n", "caching.github.type"),
    ],
)
def test_shared_answers_of_personal_accounts_are_refused(more: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server(USER, more)

    (problem,) = caught.value.problems
    assert "cannot be shared" in problem.message
    assert problem.path.replace("'", "") == path
    assert server(USER, more.replace("shared", "user-specific")).caching.rule("get_me")
    assert server("type: oauth, mode: shared", more).caching.rule("get_me")
