from contextlib import suppress
from ipaddress import ip_network

import pytest

from tests.torhaus.cast import ALICE, BOB
from tests.torhaus.edge.fakes import exchange
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission, Denied
from torhaus.identity.keys import digest
from torhaus.model.oauth import AuthorizationServer
from torhaus.model.people import AnonymousAccess, Principal
from torhaus.model.rules import Rules

GUEST = Principal(id="anonymous", email="anonymous")
RULES = Rules(
    version="1",
    keys={digest("alice-key"): ALICE, digest("bob-key"): BOB},
    anonymous=(AnonymousAccess((ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")), GUEST),),
)
NAMED = Settings(
    host="0.0.0.0",
    public_url="https://gw.example.com",
    allowed_hosts=("other.example.com:8443",),
    allowed_origins=("https://app.example.com",),
)


def admit(settings: Settings, headers: dict[str, str], ip: str = "127.0.0.1", tls: bool = False):
    return Admission(settings).admit(exchange(headers, ip=ip, tls=tls), RULES)


def status(settings: Settings, headers: dict[str, str], ip: str = "127.0.0.1") -> int:
    """200, or what the caller is turned away with."""
    try:
        admit(settings, headers, ip)
    except Denied as denied:
        return denied.error.status
    return 200


# -- host -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LocalHost:1"])
def test_loopback_names_are_always_ours(host: str) -> None:
    for settings in (Settings(), NAMED):
        assert status(settings, {"host": host, "apikey": "alice-key"}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "localhost.evil.example.com",
        "evil.example.com:localhost",
        "localhost:80@evil.example.com",
        "localhost:",
        "localhost:8x",
        "[::1",
        "[::1]evil",
        "",
        " ",
        "::1",
        "0177.0.0.1",
    ],
)
def test_other_names_are_misdirected(host: str) -> None:
    expected = 200 if host == "localhost:" else 421  # an empty port is legal (RFC 3986 3.2.3)
    assert status(Settings(), {"host": host, "apikey": "alice-key"}) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("gw.example.com", 200),
        ("gw.example.com:8080", 200),
        ("GW.EXAMPLE.COM", 200),
        ("other.example.com:8443", 200),
        ("other.example.com", 421),
        ("other.example.com:443", 421),
        ("gw.example.com.evil.com", 421),
        ("192.0.2.1", 421),
    ],
)
def test_told_names_are_ours_too(host: str, expected: int) -> None:
    assert status(NAMED, {"host": host, "apikey": "alice-key"}) == expected


def test_without_a_host_there_is_no_admission() -> None:
    assert status(Settings(), {"apikey": "alice-key"}) == 421


def test_whoever_listens_beyond_loopback_and_was_told_no_name_hears_any() -> None:
    anywhere = Settings(host="0.0.0.0")

    assert status(anywhere, {"host": "director.company.local", "apikey": "alice-key"}) == 200
    # But nobody without a key, or a page at evil.example.com could act for its reader.
    assert status(anywhere, {"host": "evil.example.com"}) == 401
    assert status(anywhere, {"host": "localhost"}) == 200


def test_two_hosts_and_two_origins_are_refused() -> None:
    for name, expected in (("host", 421), ("origin", 403)):
        came = exchange({"host": "localhost", "apikey": "alice-key", "origin": "http://localhost"})
        came.head.add(name.encode(), b"localhost")
        with pytest.raises(Denied) as denied:
            Admission(Settings()).admit(came, RULES)
        assert denied.value.error.status == expected


# -- origin -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.example.com", 200),
        ("HTTPS://APP.EXAMPLE.COM", 200),
        ("https://gw.example.com", 200),
        ("http://localhost:3000", 200),
        ("http://app.example.com", 403),
        ("https://app.example.com:8443", 403),
        ("https://app.example.com.evil.com", 403),
        ("https://evil.com/https://app.example.com", 403),
        ("null", 403),
        ("", 403),
        ("file://", 403),
        ("file://localhost", 403),
        ("localhost", 403),
        ("http://localhost@evil.com", 403),
        ("chrome-extension://localhost", 403),
    ],
)
def test_only_listed_pages_and_our_own_may_call(origin: str, expected: int) -> None:
    found = status(NAMED, {"host": "localhost", "apikey": "alice-key", "origin": origin})

    assert found == expected


# -- plaintext --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plaintext", "ip", "expected"),
    [
        ("private", "127.0.0.1", 200),
        ("private", "10.1.2.3", 200),
        ("private", "192.168.1.1", 200),
        ("private", "100.64.0.1", 200),
        ("private", "8.8.8.8", 403),
        ("private", "2606:4700::1", 403),
        ("private", "::ffff:8.8.8.8", 403),
        ("loopback", "::1", 200),
        ("loopback", "10.1.2.3", 403),
        ("any", "8.8.8.8", 200),
    ],
)
def test_plaintext_is_refused_from_too_far_away(plaintext: str, ip: str, expected: int) -> None:
    settings = Settings(host="0.0.0.0", plaintext=plaintext)

    assert status(settings, {"host": "gw", "apikey": "alice-key"}, ip) == expected


def test_the_refusal_names_the_url_to_use() -> None:
    with pytest.raises(Denied, match=r"https://gw\.example\.com"):
        admit(NAMED, {"host": "gw.example.com", "apikey": "alice-key"}, "8.8.8.8")


def test_with_tls_it_does_not_matter_where_from() -> None:
    visitor = admit(NAMED, {"host": "gw.example.com", "apikey": "alice-key"}, "8.8.8.8", tls=True)

    assert visitor.principal is ALICE


# -- who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer alice-key"},
        {"authorization": "bearer alice-key"},
        {"apikey": "alice-key"},
        {"x-api-key": "alice-key"},
        {"apikey": "alice-key", "authorization": "Bearer alice-key"},
    ],
)
def test_a_key_says_who_asks(headers: dict[str, str]) -> None:
    visitor = admit(Settings(), {"host": "localhost", **headers})

    assert visitor.principal is ALICE
    assert visitor.key == b"alice-key"


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"apikey": "wrong"}, "invalid_token"),
        ({"apikey": ""}, "invalid_request"),
        ({"apikey": "tht_x"}, "invalid_request"),
        ({"authorization": "Basic YTpi"}, "invalid_request"),
        ({"authorization": ""}, "invalid_request"),
        ({"apikey": "alice-key", "x-api-key": "bob-key"}, "invalid_request"),
        ({"apikey": "alice-key", "authorization": "Bearer wrong"}, "invalid_request"),
    ],
)
def test_a_broken_credential_is_never_taken_for_none(headers: dict[str, str], error: str) -> None:
    """Not even where callers without one are welcome."""
    with pytest.raises(Denied) as denied:
        admit(Settings(), {"host": "localhost", **headers})

    assert denied.value.error.status == 401
    (challenge,) = denied.value.headers
    assert challenge[0] == b"www-authenticate"
    assert challenge[1].startswith(
        b'Bearer resource_metadata="http://localhost/.well-known/oauth-protected-resource/mcp/github"'
    )
    assert b'error="%b"' % error.encode() in challenge[1]
    assert b"alice-key" not in challenge[1]


def test_a_credential_that_stands_twice_is_refused() -> None:
    came = exchange({"host": "localhost", "apikey": "alice-key"})
    came.head.add(b"apikey", b"alice-key")

    with pytest.raises(Denied, match="twice"):
        Admission(Settings()).admit(came, RULES)


@pytest.mark.parametrize(
    ("ip", "more", "expected"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("192.168.1.1", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 401),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 401),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, 401),
    ],
)
def test_without_a_credential_the_peers_network_decides(
    ip: str, more: dict[str, str], expected: int
) -> None:
    """Behind a proxy the peer's address says nothing about who asks."""
    assert status(Settings(), {"host": "localhost", **more}, ip) == expected


def test_no_credential_at_all_gets_a_challenge_without_an_error() -> None:
    """RFC 6750 3.1: no error code when the request lacks any authentication."""
    with pytest.raises(Denied) as denied:
        admit(Settings(), {"host": "localhost"}, "192.168.1.1")

    where = b'"http://localhost/.well-known/oauth-protected-resource/mcp/github"'
    told = b'Bearer resource_metadata=%b, scope="mcp"' % where
    assert denied.value.headers == ((b"www-authenticate", told),)


def test_where_nobody_signs_in_no_way_to_is_named() -> None:
    off = Settings(oauth=AuthorizationServer(enabled=False))
    with pytest.raises(Denied) as denied:
        admit(off, {"host": "localhost"}, "192.168.1.1")

    assert denied.value.headers == ((b"www-authenticate", b'Bearer realm="torhaus"'),)


# -- pages of other origins -------------------------------------------------------------------

PAGE = "https://app.example.com"


def test_only_a_page_that_the_configuration_names_may_read_answers() -> None:
    admission = Admission(NAMED)

    assert b"access-control-allow-origin: https://app.example.com\r\n" in admission.cors(
        PAGE.encode()
    )
    for other in (b"https://gw.example.com", b"http://localhost", b"null", b"https://evil.example"):
        assert admission.cors(other) == b""
    assert Admission(Settings()).cors(PAGE.encode()) == b""


def test_a_browsers_question_before_a_request_is_answered_without_a_credential() -> None:
    asked = exchange(
        {
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, authorization",
        },
        method="OPTIONS",
    )
    admission = Admission(NAMED)
    asked.cors = admission.cors(PAGE.encode())

    assert admission.preflight(asked)

    sent = asked.wire.text  # type: ignore[attr-defined]
    assert sent.startswith(b"HTTP/1.1 204 ")
    assert b"access-control-allow-headers: content-type, authorization\r\n" in sent
    assert b"access-control-allow-origin: https://app.example.com\r\n" in sent


@pytest.mark.parametrize(
    ("method", "origin", "asks"),
    [("POST", PAGE, True), ("OPTIONS", "https://evil.example", True), ("OPTIONS", PAGE, False)],
)
def test_no_other_request_is_a_preflight(method: str, origin: str, asks: bool) -> None:
    question = {"access-control-request-method": "POST"} if asks else {}
    asked = exchange({"origin": origin, **question}, method=method)
    admission = Admission(NAMED)
    asked.cors = admission.cors(origin.encode())

    assert not admission.preflight(asked)
    assert not asked.done


def test_credentials_that_are_not_let_in_are_told_of_and_others_are_not() -> None:
    told: list[tuple[str, str]] = []
    admission = Admission(Settings(), lambda ip, reason: told.append((ip, reason)))
    sent = [
        {"apikey": "no-such-key"},
        {"authorization": "Basic eDp5"},
        {"apikey": "alice-key"},
        {},
    ]

    for headers in sent:
        with suppress(Denied):
            admission.admit(exchange({"host": "localhost", **headers}, ip="192.168.0.9"), RULES)

    assert [ip for ip, _ in told] == ["192.168.0.9", "192.168.0.9"]
    assert "not valid here" in told[0][1]
    assert "no-such-key" not in str(told)


# -- a server before our own host name ---------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "host", "name"),
    [
        ("/mcp", "github.gw.example.com", "github"),
        ("/mcp", "GitHub.gw.example.com:8443", "github"),
        ("/mcp/", "github.gw.example.com", "github"),
        ("/mcp/docs", "github.gw.example.com", "docs"),
        ("/mcp", "gw.example.com", ""),
        ("/mcp", "localhost", ""),
        ("/mcp", "a.b.gw.example.com", ""),
    ],
)
def test_a_host_alias_names_the_server_of_the_bare_path(target: str, host: str, name: str) -> None:
    head = exchange({"host": host}).head
    head.target = target.encode()

    assert Admission(NAMED).named(head) == name


@pytest.mark.parametrize(
    "host",
    [
        "a.b.gw.example.com",
        ".gw.example.com",
        "-x.gw.example.com",
        "x_y.gw.example.com",
        "github.other.example.com",
        "github.gw.example.com.evil.com",
        "github.gw.example.com:8x",
        "xgw.example.com",
    ],
)
def test_no_other_host_is_an_alias(host: str) -> None:
    assert status(NAMED, {"host": host, "apikey": "alice-key"}) == 421


def test_an_alias_is_answered_but_no_page_there_may_call() -> None:
    headers = {"host": "github.gw.example.com", "apikey": "alice-key"}

    assert status(NAMED, headers) == 200
    assert status(NAMED, {**headers, "origin": "https://github.gw.example.com"}) == 403
    assert status(Settings(), headers) == 421
