from pathlib import Path

from tests.torhaus.admin.hall import ALICE, Hall
from tests.torhaus.admin.signin.office import play
from tests.torhaus.cast import randoms
from torhaus.admin.signin.acts import SignIn
from torhaus.admin.signin.entering import Entering
from torhaus.admin.signin.outcome import Closed, Guest, Opened
from torhaus.identity.keys import digest, well_formed


def test_each_entry_has_a_fresh_cookie_and_its_digest_is_kept(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        entering = Entering(at.admin, at.means, randoms())

        first = await entering.enter(ALICE.email, Guest(), SignIn, provider="local")
        second = await entering.enter(ALICE.email, Guest(), SignIn, provider="local")

        assert isinstance(first, Opened)
        assert isinstance(second, Opened)
        assert first.cookie != second.cookie
        assert well_formed(first.cookie, "ths_")
        assert at.effects[0].issued[0].digest == digest(first.cookie)
        assert first.cookie not in str(at.ledger.durable)

    play(tmp_path, story)


def test_without_a_record_or_a_database_nobody_comes_in(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        entering = Entering(at.admin, at.means, randoms())
        at.ledger.refuses = True

        found = await entering.enter(ALICE.email, Guest(), SignIn, provider="local")

        assert isinstance(found, Closed)
        assert found.status == 503
        assert at.effects == []

    play(tmp_path, story)


def test_what_a_stranger_typed_is_not_recorded(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        entering = Entering(at.admin, at.means, randoms())

        await entering.refuse("local", "wrong", Guest(ip="192.0.2.9"), "hunter2")
        await entering.refuse("local", "wrong", Guest(ip="192.0.2.9"), ALICE.email)

        assert "hunter2" not in str(at.ledger.durable)
        assert [each.user.email for each in at.ledger.durable] == ["", ALICE.email]
        assert at.ledger.durable[0].user.ip == "192.0.2.9"

    play(tmp_path, story)
