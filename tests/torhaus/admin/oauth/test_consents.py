from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB
from tests.torhaus.admin.oauth.lobby import BACK, CURSOR, IP, OTHER, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.acts import Done, Refusal
from torhaus.identity.keys import digest
from torhaus.model.credentials import FamilyKind


def test_a_consent_is_a_family_of_its_own_with_a_code(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)

        done = await at.consent(id="con_x")

        assert isinstance(done, Done)
        family = done.result
        assert (family.kind, family.email) == (FamilyKind.CONSENT, ALICE.email)
        assert (family.client_id, family.audience) == (CURSOR.id, "github")
        assert (family.parent, family.issuer, family.subject, family.ip) == (
            "ses_1",
            "https://idp.example.org",
            "s-alice",
            IP,
        )
        async with at.hall.office.read() as desk:
            code = await desk.codes.get(digest("code"))
        assert code is not None
        assert (code.family, code.client_id, code.redirect_uri) == ("con_x", CURSOR.id, BACK)
        assert code.expires == at.hall.clock() + 60
        assert at.hall.ends()[-1] == ("consent.given", ALICE.email, "success")

    run(play(tmp_path, story))


def test_a_consent_is_used_once(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent(id="con_x")

        again = await at.consent(id="con_x", code="another")

        assert isinstance(again, Refusal)
        async with at.hall.office.read() as desk:
            assert await desk.codes.get(digest("another")) is None

    run(play(tmp_path, story))


@pytest.mark.parametrize("case", ["gone", "expired", "unregistered", "signed out", "another's"])
def test_who_may_not_let_anybody_in_does_not(case: str, tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        who, client = ALICE, CURSOR
        if case == "gone":
            at.hall.without(ALICE)
        if case == "expired":
            who = msgspec.structs.replace(ALICE, expires=at.hall.clock())
        if case == "unregistered":
            client = OTHER
        if case == "signed out":
            async with at.hall.office.write() as desk:
                await desk.families.end("ses_1", "", "", at.hall.clock())
        if case == "another's":
            who = BOB

        refused = await at.consent(client, who)

        assert isinstance(refused, Refusal)
        assert refused.code == "access_denied"
        async with at.hall.office.read() as desk:
            assert await desk.codes.get(digest("code")) is None

    run(play(tmp_path, story))
