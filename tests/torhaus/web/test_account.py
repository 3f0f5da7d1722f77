import re
from pathlib import Path
from typing import Any

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import House, hidden, house
from tests.torhaus.web.test_signing import code, secret_of

PASSWORD = "correct horse"
NEW = "another long horse"


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


def test_another_password_ends_the_other_sessions_and_keeps_this_one(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, other = await at.signed_in(ALICE), await at.signed_in(ALICE)
        await browser.get("/me/security")
        change = {"do": "password", "old": PASSWORD, "password": NEW, "again": NEW}

        differ = await browser.post("/me/security", {**change, "again": "x"})
        wrong = await browser.post("/me/security", {**change, "old": "wrong"})
        done = await browser.post("/me/security", change)

        assert (differ.status, wrong.status, done.status) == (422, 422, 303)
        assert "The two passwords differ." in differ.text
        assert (await browser.get("/me/security")).status == 200
        assert (await other.get("/me/security")).status == 303

    play(tmp_path, story)


def test_a_second_factor_is_turned_on_renewed_and_off(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me/security")
        begun = await browser.post("/me/security", {"do": "begin", "old": PASSWORD})
        secret, ticket = secret_of(begun.text), hidden(begun, "ticket")
        finish = {"do": "finish", "ticket": ticket}

        wrong = await browser.post("/me/security", {**finish, "code": "000000"})
        done = await browser.post("/me/security", {**finish, "code": code(secret, at.hall.clock())})

        assert wrong.status == 422
        assert secret_of(wrong.text) == secret
        assert len(re.findall(r"<li>[a-z0-9-]{19}</li>", done.text)) == 10
        assert "10 recovery codes are left." in (await browser.get("/me/security")).text
        refused = await browser.post("/me/security", {"do": "codes", "old": "wrong"})
        renewed = await browser.post("/me/security", {"do": "codes", "old": PASSWORD})
        off = await browser.post("/me/security", {"do": "drop", "old": PASSWORD})
        assert (refused.status, renewed.status, off.status) == (422, 200, 303)
        assert "Set it up" in (await browser.get("/me/security")).text

    play(tmp_path, story)


def test_without_a_local_account_there_is_nothing_to_change(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        async with at.hall.office.write() as desk:
            await desk.passwords.remove(ALICE.email)

        page = await browser.get("/me/security")

        assert "You sign in with an identity provider" in page.text
        assert 'name="old"' not in page.text

    play(tmp_path, story)


def test_whoever_only_has_the_session_cannot_put_another_factor_in_place(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me/security")

        without = await browser.post("/me/security", {"do": "begin"})
        wrong = await browser.post("/me/security", {"do": "begin", "old": "a wrong horse"})
        right = await browser.post("/me/security", {"do": "begin", "old": PASSWORD})

        assert (without.status, wrong.status, right.status) == (422, 422, 200)
        assert "otpauth" not in without.text + wrong.text
        assert hidden(right, "ticket")

    play(tmp_path, story)
