from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller

from tests.ports import free_port
from tests.torhaus.cast import run
from torhaus.model.letters import Letter, MailError, MailServer
from torhaus.watch.smtp import SmtpPostman

LETTER = Letter(to="erin@company.local", subject="Einladung für Sie", text="Grüße\n.\nhi\n")


class Box:
    """What a real SMTP server took."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.taken: list[Any] = []
        self.answer = answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return self.answer


@contextmanager
def post(box: Box) -> Iterator[MailServer]:
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield MailServer(host="127.0.0.1", port=port, tls="none", sender="torhaus@example.com")
    finally:
        controller.stop()


def test_a_letter_arrives_as_it_was_written() -> None:
    box = Box()
    with post(box) as server:
        run(SmtpPostman().send(server, LETTER))

    [taken] = box.taken
    assert (taken.mail_from, taken.rcpt_tos) == ("torhaus@example.com", ["erin@company.local"])
    message = message_from_bytes(taken.content, policy=default)
    assert message["Subject"] == "Einladung für Sie"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == LETTER.text


def test_a_server_that_refuses_is_named_by_its_number_alone() -> None:
    with post(Box("550 no secrets-in-answers")) as server, pytest.raises(MailError) as error:
        run(SmtpPostman().send(server, LETTER))

    assert str(error.value) == "the mail server answered 550"


def test_a_server_that_is_not_there_or_does_not_encrypt_takes_nothing() -> None:
    box = Box()
    with post(box) as server:
        careful = msgspec.structs.replace(server, tls="starttls")
        with pytest.raises(MailError):
            run(SmtpPostman().send(careful, LETTER))
    assert box.taken == []
    with pytest.raises(MailError):
        run(SmtpPostman().send(server, LETTER))


@pytest.mark.parametrize("field", ["to", "subject"])
def test_a_header_stays_one_line(field: str) -> None:
    box = Box()
    evil = msgspec.structs.replace(LETTER, **{field: "x@y.example\r\nBcc: all@y.example"})
    with post(box) as server, pytest.raises(MailError):
        run(SmtpPostman().send(server, evil))

    assert box.taken == []
