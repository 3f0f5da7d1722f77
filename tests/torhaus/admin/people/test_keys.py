from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN, hired, keyed, steward, stewards
from tests.torhaus.cast import NOW, run
from tests.torhaus.store.state.people import credential, family
from torhaus.admin.people.acts import EndFamily, MakeKey, RevokeKey
from torhaus.admin.people.keys import MOST_KEYS


def made(email: str = ERIN, **more: Any) -> MakeKey:
    return MakeKey(**{"email": email, "digest": b"x" * 32, "label": "ci", **more})


def test_a_key_is_made_with_scopes_and_an_end_and_its_digest_stays_out_of_the_record(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        act = made(scopes=("github:read",), expires=NOW + 60)

        key = await hall.done(DANA, act)

        assert (key.email, key.scopes, key.expires) == (ERIN, ("github:read",), NOW + 60)
        assert hall.effects[-1].issued == (key,)
        told = hall.parameters()
        assert told["after"] == {"key": key.id, "audience": None, "expires": NOW + 60}
        assert (told["person"], told["scopes"]) == (ERIN, ["github:read"])
        assert "78787878" not in str(told)

    run(play(tmp_path, story))


def test_a_key_is_all_that_its_owner_may_so_nobody_makes_one_for_who_may_more(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        maker = steward("keys")

        await hall.done(maker, made(ALICE.email))
        refusal = await hall.refused(maker, made(DANA.email, digest=b"y" * 32))

        assert refusal.code == "not_allowed"
        assert "do not hold" in refusal.reason or "needs admin" in refusal.reason
        await hall.done(ALICE, made(ALICE.email, digest=b"z" * 32))
        refusal = await hall.refused(ALICE, made(BOB.email))
        assert "torhaus:keys:admin" in refusal.reason

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody@example.org"}, "not_found"),
        ({"label": " "}, "invalid"),
        ({"label": "x" * 101}, "invalid"),
        ({"scopes": ("mcp",)}, "invalid"),
        ({"audience": "nowhere"}, "invalid"),
        ({"expires": NOW}, "invalid"),
    ],
)
def test_what_is_no_key_is_refused(changes: dict[str, Any], code: str, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        refusal = await hall.refused(DANA, made(**changes))
        assert refusal.code == code

    run(play(tmp_path, story))


def test_keys_of_one_person_are_not_without_end(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        for number in range(MOST_KEYS):
            await keyed(hall, name=f"k{number}")

        assert (await hall.refused(DANA, made())).code == "invalid"

    run(play(tmp_path, story))


def test_a_key_is_revoked_once_by_its_owner_or_by_who_has_the_right(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        stewards(hall)
        one, two = await keyed(hall, name="one"), await keyed(hall, name="two")
        assert (await hall.refused(ALICE, RevokeKey(one.id))).code == "not_allowed"

        await hall.done(hall.rules.principals[ERIN], RevokeKey(one.id))
        assert hall.effects[-1].ended == (one.digest,)
        await hall.done(steward("keys"), RevokeKey(two.id))
        assert (await hall.refused(DANA, RevokeKey(two.id))).code == "conflict"
        refusal = await hall.refused(DANA, RevokeKey("file_0123456789ab"))
        assert (refusal.code, "keys of the file" in refusal.fix) == ("not_found", True)

    run(play(tmp_path, story))


def test_a_session_ends_with_its_credentials(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        token = credential("t1", email=ALICE.email, family="f1")
        async with hall.office.write() as desk:
            await desk.families.add(family("f1", email=ALICE.email))
            await desk.families.add(family("f2", email=ALICE.email))
            await desk.credentials.add(token, "")
        assert (await hall.refused(BOB, EndFamily("f1"))).code == "not_allowed"

        await hall.done(DANA, EndFamily("f1", "lost laptop"))
        assert hall.effects[-1].ended == (token.digest,)
        await hall.done(ALICE, EndFamily("f2"))
        assert (await hall.refused(ALICE, EndFamily("f2"))).code == "conflict"
        assert (await hall.refused(DANA, EndFamily("f9"))).code == "not_found"

    run(play(tmp_path, story))
