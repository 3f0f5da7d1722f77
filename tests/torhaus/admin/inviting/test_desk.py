from pathlib import Path

from tests.torhaus.admin.hall import BOB, DANA, Hall, play
from tests.torhaus.admin.inviting.test_deciding import inviting
from tests.torhaus.admin.people.staff import ERIN
from tests.torhaus.cast import run
from torhaus.admin.acts import Refusal
from torhaus.admin.inviting.desk import NO_MAIL, Asked, Invitations, Wish
from torhaus.identity.keys import digest
from torhaus.model.letters import Letter, MailError, MailServer

SERVER = MailServer(host="mx", port=25, tls="none", sender="torhaus@example.org")
WISH = Wish(email=ERIN, roles=("developer",))


class Post:
    """Takes letters, or does not."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.letters: list[Letter] = []

    async def send(self, server: MailServer, letter: Letter) -> None:
        if not self.takes:
            raise MailError("the mail server answered 550")
        self.letters.append(letter)


def at(hall: Hall, post: Post, server: MailServer | None = SERVER) -> Invitations:
    inviting(hall)
    return Invitations(
        hall.admin, hall.means, post, lambda: server, lambda: "https://gw", lambda: "token"
    )


async def ask(invitations: Invitations, wish: Wish = WISH) -> Asked:
    found = await invitations.ask(DANA, wish, "192.0.2.1")
    assert isinstance(found, Asked), found
    return found


def test_the_link_is_mailed_and_shown_to_nobody_else(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        post = Post()
        invitations = at(hall, post)

        found = await ask(invitations)

        assert found.link is None
        assert found.invitation.delivery.startswith("sent ")
        assert "https://gw/invite/token" in post.letters[0].text
        assert [each.delivery for each in await invitations.listed(DANA)] == [
            found.invitation.delivery
        ]
        assert found.invitation.digest == digest("token")
        assert await invitations.listed(BOB) == []

    run(play(tmp_path, story))


def test_a_letter_that_fails_loses_no_invitation(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        post = Post(takes=False)
        invitations = at(hall, post)

        found = await ask(invitations)

        assert found.link is None
        assert found.invitation.delivery == "failed: the mail server answered 550"
        post.takes = True
        id = found.invitation.id
        again = await invitations.again(DANA, id, 60, "", link=False)
        assert isinstance(again, Asked)
        assert again.invitation.delivery.startswith("sent ")

    run(play(tmp_path, story))


def test_without_mail_and_where_it_is_asked_for_there_is_a_link(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        found = await ask(at(hall, Post(), None))
        assert (found.link, found.invitation.delivery) == ("https://gw/invite/token", NO_MAIL)

        post = Post()
        id = found.invitation.id
        again = await at(hall, post).again(DANA, id, 60, "", link=True)
        assert isinstance(again, Asked)
        assert (again.link, post.letters) == ("https://gw/invite/token", [])

    run(play(tmp_path, story))


def test_a_refusal_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        post = Post()

        found = await at(hall, post).ask(BOB, WISH, "")

        assert isinstance(found, Refusal)
        assert post.letters == []

    run(play(tmp_path, story))
