"""The door's checks, for ASGI."""

from ipaddress import ip_network
from math import inf
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, key, rules
from tests.torhaus.cast import ALICE as HER
from tests.torhaus.cast import run
from tests.torhaus.edge.lively import OTHER, TOKEN, Lively, token
from torhaus.api.door import Caller, Turned
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.edge.proxies import Proxies
from torhaus.identity.keys import digest
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.rules import Rules
from torhaus.model.views import Pick, View
from torhaus.threshold import Entrance, Gatekeeper

HERS = Rules(version="1", policy_version="1", servers={}, principals={HER.id: HER})
PROXIES = Proxies((ip_network("127.0.0.0/8"),))


def scope(path: str = "/", **headers: str) -> dict[str, Any]:
    usual = {"host": "localhost", **headers}
    pairs = [(name.encode(), value.encode()) for name, value in usual.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "headers": pairs,
        "client": ("127.0.0.1", 1),
    }


def admitted(door: Gatekeeper, asked: dict[str, Any]) -> Caller | Turned:
    found: list[Caller | Turned] = []

    async def story() -> None:
        found.append(await door.admit(asked))

    run(story())
    return found[0]


def test_a_key_that_was_made_elsewhere_a_moment_ago_opens_the_api() -> None:
    refused: list[tuple[str, str]] = []
    live = Lively()
    live.elsewhere = {digest(OTHER): token(digest=digest(OTHER), kind=CredentialKind.KEY)}
    admission = Admission(Settings(), lambda *what: refused.append(what), live)
    door = Gatekeeper(lambda: admission, lambda: HERS)

    known = admitted(door, scope(authorization=f"Bearer {OTHER}"))

    assert isinstance(known, Caller)
    assert known.principal == msgspec.structs.replace(HER, shown="key:t1")
    assert refused == []
    live.asked = 0
    assert isinstance(admitted(door, scope(authorization=f"Bearer {TOKEN}")), Turned)
    assert [ip for ip, _ in refused] == ["127.0.0.1"]


@pytest.mark.parametrize("silent", ["asked", "known"])
def test_a_key_that_nobody_can_ask_about_is_no_wrong_one(silent: str) -> None:
    refused: list[tuple[str, str]] = []
    live = Lively()
    live.silent = silent == "asked"
    live.until = -inf if silent == "known" else inf
    admission = Admission(Settings(), lambda *what: refused.append(what), live)

    found = admitted(
        Gatekeeper(lambda: admission, lambda: HERS), scope(authorization=f"Bearer {OTHER}")
    )

    assert isinstance(found, Turned)
    assert (found.status, dict(found.headers)) == (503, {"retry-after": "5"})
    assert refused == []


def test_the_gatekeeper_makes_the_edges_checks() -> None:
    door = Gatekeeper(lambda: Admission(Settings()), rules)

    known = admitted(door, scope(apikey=key(ALICE)))
    assert isinstance(known, Caller)
    with_it = msgspec.structs.replace(ALICE, shown="file-key:1")
    assert (known.principal, known.ip) == (with_it, "127.0.0.1")
    assert door.known(key(ALICE).encode()) == with_it
    assert door.known(b"wrong") is None
    stranger = admitted(door, scope(apikey="wrong"))
    assert isinstance(stranger, Turned)
    assert stranger.status == 401
    assert stranger.headers["www-authenticate"].startswith(
        'Bearer realm="torhaus", error="invalid_token"'
    )
    assert door.look(scope()) is None
    assert door.refusal(scope()) is None
    refused = door.refusal(scope(host="evil.example"))
    assert refused is not None
    assert refused[0] == 421


def test_the_api_and_the_pages_have_one_entrance() -> None:
    seen: list[str] = []

    def application(name: str) -> Any:
        async def called(*_: Any) -> None:
            seen.append(name)

        return called

    async def story() -> None:
        both = Entrance(application("api"), application("pages"))
        for path in ("/api/v1/me", "/api/", "/scim/v2/Users", "/apix", "/", "/approvals/1"):
            await both(scope(path), None, None)  # type: ignore[arg-type]

    run(story())
    assert seen == ["api", "api", "api", "pages", "pages", "pages"]


def went(asked: dict[str, Any], proxies: Proxies = PROXIES, hsts: int = 60) -> tuple[Any, Any]:
    """The scope as the pages see it, and the head of the answer."""
    seen: list[Any] = []
    sent: list[Any] = []

    async def pages(scope: Any, _receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def story() -> None:
        entered = Entrance(pages, pages, lambda: proxies, lambda: hsts)
        await entered(asked, None, send)  # type: ignore[arg-type]

    run(story())
    return (seen[0] if seen else None), sent[0]


FORWARDED = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"}


def test_pages_see_whoever_is_behind_a_trusted_proxy_and_not_the_proxy() -> None:
    seen, _ = went(scope(**FORWARDED))

    assert seen["client"] == ("198.51.100.7", 0)
    assert seen["scheme"] == "https"
    assert not [name for name, _ in seen["headers"] if name.startswith(b"x-forwarded")]


def test_what_others_say_of_themselves_counts_for_nothing() -> None:
    asked = scope(**FORWARDED) | {"client": ("192.0.2.1", 1)}

    seen, head = went(asked)

    assert seen["client"] == ("192.0.2.1", 1)
    assert seen["scheme"] == "http"
    assert head["headers"] == [(b"x-content-type-options", b"nosniff")]


def test_browsers_that_came_by_https_are_to_come_so_and_others_are_not() -> None:
    line = (b"strict-transport-security", b"max-age=60")

    assert line in went(scope() | {"scheme": "https"})[1]["headers"]
    assert line in went(scope(**FORWARDED))[1]["headers"]
    assert line not in went(scope())[1]["headers"]
    assert line not in went(scope(**FORWARDED), hsts=0)[1]["headers"]


def test_a_flood_of_headers_reaches_no_page() -> None:
    seen, head = went(scope(**{f"x-{n}": "y" for n in range(200)}))

    assert seen is None
    assert head["status"] == 431


def test_only_http_comes_in() -> None:
    with pytest.raises(RuntimeError, match="speaks HTTP"):
        went({"type": "websocket"})


@pytest.mark.parametrize(
    ("audience", "place", "known"),
    [
        (None, "notes", True),
        ("notes", "notes", True),
        ("team", "notes", True),  # a view that shows this server
        ("small", "notes", False),
        ("github", "notes", False),
        ("notes", None, False),
        (None, None, True),
    ],
)
def test_a_key_for_one_server_is_good_where_an_account_there_is_connected(
    audience: str | None, place: str | None, known: bool
) -> None:
    """Its owner was sent to that page because a call with this very key needs the account."""
    made = token(digest=digest(OTHER), kind=CredentialKind.KEY, audience=audience)
    door = doorkeeper(made)

    assert (door.known(OTHER.encode(), place) is not None) is known


def test_a_token_of_a_program_connects_nothing() -> None:
    """Whoever has got hold of one could put his own account in the place of hers."""
    for audience in ("notes", ""):
        door = doorkeeper(token(audience=audience))

        assert door.known(TOKEN.encode(), "notes") is None


def doorkeeper(credential: Credential) -> Gatekeeper:
    notes = Pick()
    views = {
        "team": View(name="team", picks={"notes": notes}),
        "small": View(name="small", picks={"github": notes}),
    }
    found = msgspec.structs.replace(HERS, views=views)
    admission = Admission(Settings(), live=Lively(credential))
    return Gatekeeper(lambda: admission, lambda: found)
