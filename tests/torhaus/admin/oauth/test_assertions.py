import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.admin.oauth.lobby import CURSOR, IP, Lobby, play
from tests.torhaus.cast import run
from tests.torhaus.identity.oauth.test_idjag import IDP as OLD
from tests.torhaus.identity.oauth.test_idjag import US, signed
from tests.torhaus.identity.tokens import ISSUER, Signer
from torhaus.admin.oauth.acts import Denied
from torhaus.admin.oauth.assertions import Assertions
from torhaus.admin.oauth.tokens import Tokened
from torhaus.identity.jose import VerificationKey
from torhaus.identity.keys import digest
from torhaus.model.accounts import Link
from torhaus.model.oauth import Client
from torhaus.model.providers import OidcProvider, Terms
from torhaus.model.signin import SignInError

AGENT = Client(id="agent", kind="file", name="Agent", redirect_uris=(), method="", secret=b"s" * 32)
OKTA = OidcProvider(name="okta", label="Okta", terms=Terms(), issuer=ISSUER, client_id="torhaus")


class Published:
    """A provider's keys; a newer set has one more."""

    def __init__(self) -> None:
        self.newer: Signer | None = None
        self.down = False

    async def keys(self, now: float) -> Sequence[VerificationKey]:
        if self.down:
            raise SignInError("Okta cannot be asked right now")
        return OLD.keys()

    async def newer_keys(self, now: float) -> Sequence[VerificationKey]:
        return OLD.keys() if self.newer is None else (*OLD.keys(), *self.newer.keys())


class Provider:
    def __init__(self, at: Lobby) -> None:
        self.lobby = at
        self.published = Published()
        at.server = msgspec.structs.replace(at.server, assertions=("okta",))
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(OKTA,))
        self.assertions = Assertions(
            admin=at.admin,
            office=at.hall.office,
            rules=lambda: at.hall.rules,
            server=lambda: at.server,
            clock=at.hall.clock,
            random=at.tokens.random,
            documents=lambda _provider: self.published,
        )

    def token(self, signer: Signer = OLD, **changes: Any) -> str:
        now = self.lobby.hall.clock()
        return signed(signer, **{"iat": now - 5, "exp": now + 300, **changes})

    async def accept(self, token: str | None = None, client: Client = AGENT) -> Any:
        def aim(resource: str) -> str | None:
            return {f"{US}/mcp/github": "github"}.get(resource)

        sent = self.token() if token is None else token
        return await self.assertions.accept(sent, client, US, aim, IP)

    async def link(self, email: str = ALICE.email) -> None:
        async with self.lobby.hall.office.write() as desk:
            await desk.identities.put(
                Link(issuer=ISSUER, subject="u-alice", email=email, provider="okta")
            )


def test_an_assertion_gives_an_access_token_and_no_other(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()

        found = await provider.accept()

        assert isinstance(found, Tokened)
        assert (found.refresh, found.audience, found.seconds) == ("", "github", 900)
        (issued,) = at.hall.effects[-1].issued
        assert (issued.digest, issued.email) == (digest(found.access), ALICE.email)
        assert at.ends()[-1] == ("token.issued", "success")

    run(play(tmp_path, story))


def test_an_assertion_comes_once(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()
        token = provider.token()
        assert isinstance(await provider.accept(token), Tokened)

        again = await provider.accept(token)

        assert again == Denied("invalid_grant", "this assertion was used already")

    run(play(tmp_path, story))


def test_an_account_that_nobody_linked_gets_nothing_whatever_its_address(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)

        found = await provider.accept(provider.token(email=ALICE.email, email_verified=True))

        assert isinstance(found, Denied)
        assert found.code == "invalid_grant"

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "client",
    [
        CURSOR,
        msgspec.structs.replace(AGENT, secret=None),
        msgspec.structs.replace(AGENT, kind="registered"),
    ],
)
def test_only_clients_of_the_file_with_a_secret_bring_assertions(
    client: Client, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()

        found = await provider.accept(client=client)

        assert isinstance(found, Denied)
        assert found.code == "unauthorized_client"

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "case", ["forged", "for another", "elsewhere", "switched off", "unreachable", "gone"]
)
def test_what_is_not_right_gives_nothing(case: str, tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()
        token = None
        match case:
            case "forged":
                token = provider.token(Signer())
            case "for another":
                token = provider.token(client_id="other")
            case "elsewhere":
                token = provider.token(resource="https://evil.example/mcp")
            case "switched off":
                at.server = msgspec.structs.replace(at.server, assertions=("other",))
            case "unreachable":
                provider.published.down = True
            case _:
                at.hall.without(ALICE)
                at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(OKTA,))

        found = await provider.accept(token)

        assert isinstance(found, Denied)
        assert all(not each.issued for each in at.hall.effects)

    run(play(tmp_path, story))


def test_a_new_key_of_the_provider_is_looked_for(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()
        provider.published.newer = Signer(kid="k2")

        found = await provider.accept(provider.token(provider.published.newer))

        assert isinstance(found, Tokened)

    run(play(tmp_path, story))


def test_who_has_left_is_refused_while_somebody_writes(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        provider = Provider(at)
        await provider.link()
        at.hall.without(ALICE)
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(OKTA,))

        async with at.hall.office.write():
            refused = await asyncio.wait_for(provider.accept(), 60)

        assert refused == Denied("invalid_grant", "the access of this person has ended")
        assert at.ends()[-1] == ("token.issued", "denied")

    run(play(tmp_path, story))
