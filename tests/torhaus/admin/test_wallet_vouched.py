"""Tokens that came of what an identity provider says of somebody."""

from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, Hall
from tests.torhaus.admin.test_wallet import purse, values
from tests.torhaus.admin.vaulted import personal, play_with, rows
from torhaus.model.vault import Content, Held, Kept, VaultKind


def of_acme(hall: Hall, kind: VaultKind, **changes: object) -> Kept:
    made = Kept(
        id=f"vlt-{kind}",
        server="idp:acme",
        email=ALICE.email,
        name="acme",
        kind=kind,
        key_id="",
        sealed=b"",
        created=1.0,
        created_by="",
        rotated=1.0,
    )
    return msgspec.structs.replace(made, **changes)


async def vouched_for(hall: Hall) -> Held:
    """Somebody has signed in."""
    content = Content(value="canary-id-token")
    async with hall.office.write() as desk:
        key = await hall.safe.key(desk, hall.clock())
        kept = hall.safe.sealed(of_acme(hall, VaultKind.IDENTITY), content, key)
        await desk.vault.add(kept)
    return Held(kept, content)


def test_tokens_that_came_of_a_providers_word_are_kept_once_and_told_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        word, mine = await vouched_for(hall), purse(hall)
        for number in (1, 2):
            bare = of_acme(
                hall,
                VaultKind.OAUTH_ENTERPRISE,
                id=f"t{number}",
                server="github",
                issuer="https://as",
            )
            assert await mine.exchanged(word, Held(bare, Content(value=f"canary-{number}")))

        assert values(mine.known("github", ALICE.email)) == ["canary-2"]
        kept = [each for each in await rows(hall) if each.server == "github"]
        assert [each.version for each in kept] == [2]
        told = [each for each in hall.ledger.durable if each.operation == "credential.connected"]
        assert len(told) == 1
        assert "canary" not in str(told)

    play_with(tmp_path, story)


def test_tokens_of_somebody_who_has_left_are_not_kept(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        word, mine = await vouched_for(hall), purse(hall)
        async with hall.office.write() as desk:
            await desk.vault.leave(ALICE.email)
        bare = of_acme(hall, VaultKind.OAUTH_ENTERPRISE, server="github")

        assert not await mine.exchanged(word, Held(bare, Content(value="canary-late")))
        assert await rows(hall) == []

    play_with(tmp_path, story)


def test_what_a_provider_says_goes_when_no_server_goes_by_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        mine = purse(hall)
        hall.rules = msgspec.structs.replace(
            hall.rules, servers={"github": personal(provider="acme")}
        )
        await vouched_for(hall)
        assert await mine.disown() == 0
        hall.rules = msgspec.structs.replace(hall.rules, servers={"github": personal()})

        assert await mine.disown() == 1
        assert await rows(hall) == []

    play_with(tmp_path, story)
