"""Accounts that people connect: links, and what is kept."""

from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, ANONYMOUS, BOB, DANA, JANE, MALLORY, Hall
from tests.torhaus.admin.vaulted import personal, play_with, rows
from tests.torhaus.cast import NOW, sealer
from torhaus.admin.connections import (
    ConnectLinks,
    KeepConnection,
    SealError,
    Way,
    Wish,
    linking,
    may_connect,
)
from torhaus.model.connecting import Connected
from torhaus.model.people import Principal
from torhaus.model.person import FILE, Person, PersonState
from torhaus.model.ports import NotConnected
from torhaus.model.servers import Acting, Server
from torhaus.model.vault import Content, VaultKind

LINKS = ConnectLinks(sealer(), lambda: "https://gw.example.org")
WISH = Wish("github", ALICE.email)
ALL = Wish("github", BOB.email, True)
CONNECTED = Connected(content=Content(value="canary-access"), issuer="https://as.example")
MIXED = personal(tools=())


def token(url: str | None) -> str:
    assert url is not None
    return url.partition("?t=")[2]


def test_a_link_brings_back_the_wish_for_an_hour() -> None:
    wish = Wish("github", ALICE.email, scope="read write")
    url = LINKS.url(wish, NOW)

    assert url is not None
    assert url.startswith("https://gw.example.org/connect/github?t=")
    assert LINKS.wish(token(url), NOW) == wish
    with pytest.raises(SealError):
        LINKS.wish(token(url), NOW + 3600)
    with pytest.raises(SealError):
        LINKS.wish(token(url)[:-4] + "AAAA", NOW)


def test_nothing_that_is_sealed_fits_elsewhere() -> None:
    mine = token(LINKS.url(WISH, NOW))
    form, journey = LINKS.form(mine, NOW), LINKS.sealed(Way(WISH, {"state": "s"}), NOW)

    assert LINKS.way(journey, NOW).private == {"state": "s"}
    LINKS.check_form(mine, form, NOW)
    for bad in (form, journey):
        with pytest.raises(SealError):
            LINKS.wish(bad, NOW)
    for bad in (mine, form):
        with pytest.raises(SealError):
            LINKS.way(bad, NOW)
    with pytest.raises(SealError):
        LINKS.check_form("other", form, NOW)
    with pytest.raises(SealError):
        LINKS.way(journey, NOW + 900)


def test_where_nobody_knows_the_address_there_is_no_link() -> None:
    assert ConnectLinks(sealer(), lambda: None).url(WISH, NOW) is None


@pytest.mark.parametrize(
    ("actor", "server", "wish", "words"),
    [
        (ALICE, personal(), WISH, None),
        (BOB, personal(mode=Acting.SHARED), ALL, None),
        (BOB, personal(), WISH, "this link is for alice@example.org"),
        (ALICE, personal(mode=Acting.SHARED), WISH, "no call to github uses such an account"),
        (ALICE, personal(mode=Acting.SHARED), Wish("github", ALICE.email, True), "admin"),
        (BOB, personal(), ALL, "no call to github uses such an account"),
        (MALLORY, personal(), Wish("github", MALLORY.email), "may not use github"),
        (ANONYMOUS, personal(), Wish("github", ANONYMOUS.email), "ended"),
        (ALICE, None, WISH, "no server"),
    ],
)
def test_who_may_connect_what(
    actor: Principal, server: Server | None, wish: Wish, words: str | None
) -> None:
    found = may_connect(actor, server, wish, NOW)

    assert (found is None) if words is None else (words in (found or ""))


def test_what_is_brought_back_is_kept_for_one_person_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = msgspec.structs.replace(hall.rules, servers={"github": personal()})
        first = await hall.done(ALICE, KeepConnection(wish=WISH, connected=CONNECTED))
        again = await hall.done(ALICE, KeepConnection(wish=WISH, connected=CONNECTED))

        (kept,) = await rows(hall)
        assert (kept.email, kept.kind, kept.version) == (ALICE.email, VaultKind.OAUTH_USER, 2)
        assert hall.safe.opened(kept).value == "canary-access"
        assert (first.email, again.current.id) == (ALICE.email, kept.id)
        assert hall.ends()[-1] == ("credential.connected", ALICE.email, "success")
        assert "canary" not in repr(hall.ledger.durable)

    play_with(tmp_path, story)


@pytest.mark.parametrize("state", [PersonState.GONE, PersonState.SUSPENDED])
def test_who_has_left_at_another_gateway_connects_nothing_here(
    tmp_path: Path, state: PersonState
) -> None:
    """This one has not heard of it yet: the rules still have him."""

    async def story(hall: Hall) -> None:
        hall.rules = msgspec.structs.replace(hall.rules, servers={"github": personal()})
        async with hall.office.write() as desk:
            await desk.persons.put(Person(email=ALICE.email, owner=FILE, state=state))

        refused = await hall.refused(ALICE, KeepConnection(wish=WISH, connected=CONNECTED))

        assert (refused.code, refused.reason) == ("not_allowed", "your access has ended")
        assert await rows(hall) == []

    play_with(tmp_path, story)


def test_a_shared_account_is_everybodys(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        server = personal(mode=Acting.SHARED)
        hall.rules = msgspec.structs.replace(hall.rules, servers={"github": server})
        await hall.done(BOB, KeepConnection(wish=ALL, connected=CONNECTED))

        (kept,) = await rows(hall)
        assert (kept.email, kept.kind) == ("", VaultKind.OAUTH_SHARED)
        for who in (ALICE, JANE):
            wish = Wish("github", who.email, True)
            refused = await hall.refused(who, KeepConnection(wish=wish, connected=CONNECTED))
            assert refused.code == "not_allowed"
        assert await rows(hall) == [kept]

    play_with(tmp_path, story)


def test_callers_get_links_to_what_they_may_connect() -> None:
    servers = {"github": personal(tools=())}
    link = linking(LINKS, lambda: servers, lambda: NOW)
    missing = NotConnected("not connected", scope="write")

    assert LINKS.wish(token(link(ALICE, "github", missing)), NOW) == Wish(
        "github", ALICE.id, scope="write"
    )
    assert link(MALLORY, "github", missing) is None
    assert link(DANA, "github", NotConnected("shared", shared=True)) is None


def test_where_a_provider_vouches_there_is_nothing_to_connect_but_to_sign_in() -> None:
    servers = {"github": personal(provider="acme", tools=())}
    link = linking(LINKS, lambda: servers, lambda: NOW)
    why = may_connect(ALICE, servers["github"], WISH, NOW)
    assert why is not None
    assert "acme vouches for you" in why
    assert link(ALICE, "github", NotConnected("not connected")) is None
    missing = NotConnected("not signed in", provider="acme")
    assert link(ALICE, "github", missing) == "https://gw.example.org/login/acme"
    assert link(ALICE, "github", NotConnected("no", provider="acme", barred=True)) is None
    assert link(ALICE, "github", NotConnected("no", barred=True)) is None
    assert link(ANONYMOUS, "github", missing) is None
