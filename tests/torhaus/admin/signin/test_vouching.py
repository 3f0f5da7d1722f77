"""What is kept of a sign-in for the servers that go by it, and when it goes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import ALICE, DANA, Hall, hall, rules
from tests.torhaus.admin.vaulted import personal, rows
from tests.torhaus.cast import run
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.perform import WORKS, Admin
from torhaus.admin.signin.acts import Arrive, Fresh, ProviderSignOut, SignOut
from torhaus.admin.signin.vouching import vouching
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.admin.vaulting import RemoveCredential, vaulting
from torhaus.model.providers import OidcProvider, Terms
from torhaus.model.signin import Identity
from torhaus.model.vault import Kept, VaultKind

IDP = "https://idp.example"
TOKEN, REFRESH = "canary-id-token-0123456789", "canary-refresh-token-0123456789"
PROVIDER = OidcProvider(
    name="acme", label="Acme", terms=Terms(link_by_email=True), issuer=IDP, client_id="gateway"
)
IDENTITY = Identity(
    provider="acme",
    issuer=IDP,
    subject="u-alice",
    email=ALICE.email,
    session="s1",
    id_token_hint=TOKEN,
    ends=5000.0,
    refresh=REFRESH,
)


def play(home: Path, story: Callable[[Hall], Awaitable[None]], provider: str = "acme") -> None:
    async def played() -> None:
        async with hall(home) as at:
            servers = {"github": personal(provider=provider)}
            at.rules = rules(servers=servers, providers=(PROVIDER,))
            works = {**WORKS, **SIGNIN_WORKS, **vouching(at.safe)}
            at.admin = Admin(at.means, at.happened, works)
            await story(at)

    run(played())


async def arrives(at: Hall, number: int = 1, **changes: Any) -> None:
    fresh = Fresh(digest=b"%32d" % number, provider="acme")
    await at.done(ALICE, Arrive(fresh, msgspec.structs.replace(IDENTITY, **changes)))


def token(at: Hall, version: int = 1) -> Kept:
    """What came of the provider's word at a server."""
    bare = Kept(
        id=f"token-{version}",
        server="github",
        email=ALICE.email,
        name="acme",
        kind=VaultKind.OAUTH_ENTERPRISE,
        version=version,
        key_id="",
        sealed=b"x",
        created=1.0,
        created_by="",
        rotated=1.0,
    )
    return msgspec.structs.replace(bare, key_id=at.safe._ring(None).first)


async def add_token(at: Hall) -> None:
    async with at.office.write() as desk:
        await desk.vault.add(token(at))


def test_what_the_provider_says_is_sealed_for_its_person(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await arrives(at)

        (kept,) = await rows(at)
        assert (kept.server, kept.email, kept.kind) == ("idp:acme", ALICE.email, VaultKind.IDENTITY)
        assert (kept.issuer, kept.account, kept.expires) == (IDP, "u-alice", 5000.0)
        content = at.safe.opened(kept)
        assert (content.value, content.refresh) == (TOKEN, REFRESH)
        assert not any("canary" in str(each) for each in at.ledger.durable)

    play(tmp_path, story)
    stored = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert b"idp:acme" in stored
    assert TOKEN.encode() not in stored
    assert REFRESH.encode() not in stored


def test_a_later_sign_in_takes_its_place(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await arrives(at)
        await arrives(at, 2, id_token_hint="canary-newer", refresh="")

        (kept,) = await rows(at)
        assert kept.version == 2
        assert (at.safe.opened(kept).value, at.safe.opened(kept).refresh) == ("canary-newer", "")

    play(tmp_path, story)


def test_nothing_is_kept_where_no_server_goes_by_it(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await arrives(at)
        assert await rows(at) == []

    play(tmp_path, story, provider="other")


def test_nothing_is_kept_of_somebody_who_is_not_let_in(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        fresh = Fresh(digest=b"c" * 32, provider="acme")
        stranger = msgspec.structs.replace(IDENTITY, email="eve@example.org", subject="u-eve")
        await at.refused(ALICE, Arrive(fresh, stranger))
        assert await rows(at) == []

    play(tmp_path, story)


def test_offboarding_takes_it_and_what_came_of_it(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await arrives(at)
        await add_token(at)

        await at.done(DANA, OffboardPerson(ALICE.email, "left"))

        assert await rows(at) == []

    play(tmp_path, story)


def test_the_providers_own_sign_out_takes_it_too(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        for number, out in enumerate(({"session": "s1"}, {"subject": "u-alice"}), 1):
            await arrives(at, number)
            await add_token(at)
            until = at.clock() + 99
            act = ProviderSignOut(IDP, "acme", f"j{number}", until, **out)

            await at.done(DANA, act)

            assert await rows(at) == []

    play(tmp_path, story)


def test_signing_out_here_alone_leaves_it(tmp_path: Path) -> None:
    """A program goes on working after its person closes the browser."""

    async def story(at: Hall) -> None:
        await arrives(at)
        family = at.effects[-1].result
        await at.done(ALICE, SignOut(family.id))

        assert len(await rows(at)) == 1

    play(tmp_path, story)


def test_a_logout_of_somebody_else_leaves_it(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await arrives(at)
        await at.done(DANA, ProviderSignOut(IDP, "acme", "j1", at.clock() + 9, "u-bob", "s9"))

        assert len(await rows(at)) == 1

    play(tmp_path, story)


def test_whoever_has_it_forgotten_keeps_nothing_that_came_of_it(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.admin = Admin(
            at.means, at.happened, {**SIGNIN_WORKS, **vouching(at.safe), **vaulting(at.safe)}
        )
        await arrives(at)
        await add_token(at)

        await at.done(ALICE, RemoveCredential("idp:acme", ALICE.email))

        assert await rows(at) == []

    play(tmp_path, story)
