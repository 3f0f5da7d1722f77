from collections import Counter

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA, rules
from tests.torhaus.cast import NOW, run
from tests.torhaus.watch.test_smtp import Box, post
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.letters import MailServer
from torhaus.watch.email import SUBJECTS, EmailNotifier, addresses, letter
from torhaus.watch.smtp import SmtpPostman

NEWS = Announcement(
    kind=Kind.APPROVAL_REQUESTED,
    text="alice@example.org asks to {merge}.",
    at=NOW,
    to=("leads", DANA.email),
    link="https://gw.example/approvals/1",
)


def notifier(server: MailServer, counts: Counter[str]) -> EmailNotifier:
    return EmailNotifier(SmtpPostman(), server, rules, lambda: NOW, counts)


def test_news_are_mailed_to_the_people_they_are_for() -> None:
    box, counts = Box(), Counter[str]()
    with post(box) as server:
        run(notifier(server, counts).tell(NEWS))

    assert [each.rcpt_tos for each in box.taken] == [[DANA.email], [BOB.email]]
    assert counts == {"sent": 2}
    assert b"https://gw.example/approvals/1" in box.taken[0].content


def test_a_letter_that_fails_does_not_end_the_telling() -> None:
    counts = Counter[str]()
    with post(Box("550 no")) as server:
        run(notifier(server, counts).tell(NEWS))

    assert counts == {"failed": 2}


def test_every_kind_has_a_subject_and_texts_are_no_templates() -> None:
    assert set(SUBJECTS) == set(Kind)
    found = letter(NEWS, ALICE.email)
    assert found.text == "alice@example.org asks to {merge}.\n\nhttps://gw.example/approvals/1\n"
    assert letter(msgspec.structs.replace(NEWS, link=None), "x@y").text.endswith("{merge}.\n")


def test_names_become_addresses_once() -> None:
    assert addresses(("tech_lead", "leads", BOB.email, "nobody"), rules(), NOW) == [BOB.email]
