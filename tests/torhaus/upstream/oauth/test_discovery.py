import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.oauth.town import ISSUER, METADATA, RESOURCE, SERVER, USER, Web
from torhaus.model.fetch import Fetched
from torhaus.model.secret import Secret
from torhaus.model.servers import Assertion
from torhaus.upstream.oauth.discovery import Known, OAuthError, discover, named
from torhaus.upstream.oauth.wellknown import Challenge

PRM = "https://mcp.example/.well-known/oauth-protected-resource/mcp"
ASM = f"{ISSUER}/.well-known/oauth-authorization-server"
OTHER = "https://mcp.example/meta"


NOTHING = Challenge()


def found(web: Web, challenge: Challenge = NOTHING, **oauth: object) -> Known:
    machine = bool(oauth.pop("machine", False))
    access = msgspec.structs.replace(USER, **oauth)
    return asyncio.run(discover(web, SERVER, access, challenge, machine=machine))


def test_the_way_leads_over_the_server_to_its_authorization_server():
    web = Web()

    known = found(web)

    assert web.urls() == [PRM, ASM]
    assert (known.authority.issuer, known.resource.resource) == (ISSUER, SERVER)
    assert known.scopes == ("read", "write")
    assert known.authority.iss


def test_what_the_server_asks_for_goes_before_what_it_knows():
    web = Web(**{OTHER: RESOURCE})

    known = found(web, Challenge(OTHER, "admin"))

    assert web.urls() == [OTHER, ASM]
    assert known.scopes == ("admin",)


def test_metadata_on_another_host_is_not_followed():
    with pytest.raises(OAuthError, match="another host"):
        found(Web(), Challenge("https://evil.example/meta"))


def test_a_configured_issuer_must_be_one_that_the_server_names():
    assert found(Web(), issuer=ISSUER).authority.issuer == ISSUER
    with pytest.raises(OAuthError, match="does not name the issuer"):
        found(Web(), issuer="https://other.example")


@pytest.mark.parametrize(
    "proof",
    [
        {"client_secret": Secret("canary-secret")},
        {"client_secret": Secret("canary-secret"), "method": "client_secret_post"},
        {"assertion": Assertion("file", "word", "/nowhere")},
        {"assertion": Assertion("file", "word", "/nowhere"), "federated": True},
    ],
)
@pytest.mark.parametrize("machine", [False, True])
def test_no_server_alone_says_who_gets_to_see_a_secret(proof: dict[str, object], machine: bool):
    with pytest.raises(OAuthError, match="only the server itself says") as caught:
        found(Web(), client_id="me", machine=machine, **proof)
    assert ISSUER in str(caught.value)
    assert "write issuer" in str(caught.value)

    assert found(Web(), client_id="me", machine=machine, issuer=ISSUER, **proof)
    own = {**METADATA, "issuer": "https://mcp.example", "token_endpoint": "https://MCP.example/t"}
    at_home = Web(**{PRM: None, "https://mcp.example/.well-known/oauth-authorization-server": own})
    assert found(at_home, client_id="me", machine=machine, **proof)
    away = {**own, "token_endpoint": "https://evil.example/token"}
    led = Web(**{PRM: None, "https://mcp.example/.well-known/oauth-authorization-server": away})
    with pytest.raises(OAuthError, match="only the server itself says"):
        found(led, client_id="me", machine=machine, **proof)


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"client_id": "me"},
        {"client_id": "me", "private_key": Secret("pem")},
        {"client_id": "me", "client_secret": Secret("s"), "method": "client_secret_jwt"},
    ],
)
def test_what_nobody_can_use_elsewhere_follows_the_server(proof: dict[str, object]):
    assert found(Web(), **proof).authority.issuer == ISSUER


def test_a_server_without_metadata_is_its_own_authorization_server():
    own = {**METADATA, "issuer": "https://mcp.example"}
    web = Web(**{PRM: None, "https://mcp.example/.well-known/oauth-authorization-server": own})

    assert found(web).authority.issuer == "https://mcp.example"
    bare = Web(**{PRM: None})
    assert found(bare).authority.token == "https://mcp.example/token"


def test_only_a_document_that_is_not_there_is_looked_for_elsewhere():
    web = Web(**{PRM: lambda _: Fetched(500, {}, b"")})

    with pytest.raises(OAuthError, match="HTTP 500"):
        found(web)
    assert web.urls() == [PRM]


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({PRM: {**RESOURCE, "resource": "https://evil.example"}}, "another resource"),
        ({PRM: {**RESOURCE, "authorization_servers": []}}, "names no authorization server"),
        ({ASM: {**METADATA, "issuer": "https://evil.example"}}, "another issuer"),
        ({ASM: None}, "has no metadata"),
        ({ASM: {**METADATA, "code_challenge_methods_supported": ["plain"]}}, "PKCE"),
    ],
)
def test_what_must_not_be_followed_is_not(pages, words):
    with pytest.raises(OAuthError, match=words):
        found(Web(**pages))


def test_where_nobody_is_sent_pkce_and_pages_do_not_matter():
    bare = {**METADATA, "code_challenge_methods_supported": []}
    del bare["authorization_endpoint"]

    assert found(Web(**{ASM: bare}), machine=True).authority.token == f"{ISSUER}/token"


def test_a_host_that_is_down_is_said():
    web = Web()
    web.down.add("as.example")

    with pytest.raises(OAuthError, match=r"as\.example cannot be reached"):
        found(web)


def test_only_what_stands_in_the_file_is_trusted_to_be_private():
    web = Web()
    found(web, issuer=ISSUER)

    assert [each.named for each in web.asked] == [(SERVER,), (SERVER, ISSUER)]
    assert named(SERVER, USER) == (SERVER,)


@pytest.mark.parametrize(
    ("challenge", "oauth", "bound"),
    [
        (NOTHING, {}, False),
        (Challenge(bound=True), {}, True),
        (NOTHING, {"bound": True}, True),
        (Challenge(bound=True), {"bound": False}, False),
    ],
)
def test_a_key_is_made_where_tokens_are_to_be_bound(challenge, oauth, bound):
    known = found(Web(), challenge)
    access = msgspec.structs.replace(USER, **oauth)

    assert known.bound(access) is bound
    assert (known.key(access) is not None) is bound
