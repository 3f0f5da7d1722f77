from urllib.parse import parse_qsl, urlsplit

import pytest

from torhaus.identity.oauth.asked import Asked, Told, Untold, back, destination, read, unaimed
from torhaus.model.oauth import Client

ORIGIN = "https://gw.example"
CLIENT = Client(
    id="dcr_1", kind="registered", name="x", redirect_uris=("http://localhost/callback",)
)
GOOD = {
    "response_type": "code",
    "client_id": "dcr_1",
    "redirect_uri": "http://localhost:51283/callback",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "state": "s t&te",
    "scope": "mcp offline_access",
    "resource": "https://gw.example/mcp/github",
}


def query(**changes: str | None) -> list[tuple[str, str]]:
    told = {**GOOD, **changes}
    return [(name, value) for name, value in told.items() if value is not None]


def asked(sent: list[tuple[str, str]]) -> Asked | Told | Untold:
    where = destination(sent, CLIENT)
    if isinstance(where, Untold):
        return where
    return read(sent, CLIENT, where, ORIGIN, ("github",))


def test_a_good_request_is_understood() -> None:
    assert asked(query()) == Asked(
        client_id="dcr_1",
        redirect_uri="http://localhost:51283/callback",
        audience="github",
        challenge=GOOD["code_challenge"],
        state="s t&te",
    )


@pytest.mark.parametrize(
    "sent",
    [
        query(redirect_uri=None),
        query(redirect_uri=""),
        query(redirect_uri="https://evil.example/"),
        query(redirect_uri="http://localhost:51283/evil"),
        [*query(), ("redirect_uri", GOOD["redirect_uri"])],
        [*query(), ("client_id", "dcr_1")],
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_the_clients(sent: list[tuple[str, str]]) -> None:
    assert isinstance(asked(sent), Untold)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"state": "x" * 5000}, "invalid_request"),
        ({"resource": "https://evil.example/mcp/github"}, "invalid_target"),
        ({"resource": "https://gw.example/mcp/other"}, "invalid_target"),
    ],
)
def test_the_client_is_told_what_is_wrong(changes: dict[str, str | None], code: str) -> None:
    found = asked(query(**changes))

    assert isinstance(found, Told)
    assert (found.code, found.redirect_uri) == (code, GOOD["redirect_uri"])


@pytest.mark.parametrize("name", ["state", "resource", "code_challenge", "response_type", "scope"])
def test_a_parameter_that_stands_twice_is_refused(name: str) -> None:
    found = asked([*query(), (name, GOOD[name])])

    assert isinstance(found, Told)
    assert found.code == "invalid_request"


def test_without_a_resource_it_is_for_everything_and_that_can_be_seen() -> None:
    found = asked(query(resource=None))

    assert isinstance(found, Asked)
    assert found.audience == ""
    assert unaimed(query(resource=None))
    assert not unaimed(query())


def test_a_scope_we_do_not_have_is_simply_not_given() -> None:
    for scope in (None, "mcp", "openid", "mcp openid profile", "admin"):
        assert isinstance(asked(query(scope=scope)), Asked)


@pytest.mark.parametrize(
    ("where", "begins"),
    [
        ("http://localhost:1/callback", "http://localhost:1/callback?"),
        ("https://app.example/cb?tenant=1", "https://app.example/cb?tenant=1&"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/"),
    ],
)
def test_every_response_says_who_it_is_from(where: str, begins: str) -> None:
    url = back(where, ORIGIN, code="c&d", state=None)

    assert url.startswith(begins)
    told = dict(parse_qsl(urlsplit(url).query))
    assert (told["code"], told["iss"]) == ("c&d", ORIGIN)
    assert "state" not in told
