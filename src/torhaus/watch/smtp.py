"""Letters by SMTP, encrypted unless the server is on this machine."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

import aiosmtplib

from torhaus.model.letters import Letter, MailError, MailServer

PATIENCE = 15.0
"""Seconds for each step."""


class SmtpPostman:
    """One connection for each letter: they are few."""

    async def send(self, server: MailServer, letter: Letter) -> None:
        message = _message(server, letter)
        password = None if server.password is None else server.password.reveal()
        try:
            await aiosmtplib.send(
                message,
                sender=server.sender,
                recipients=[letter.to],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=password,
                use_tls=server.tls == "tls",
                start_tls=server.tls == "starttls",
                timeout=PATIENCE,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailError(_said(error)) from error


def _message(server: MailServer, letter: Letter) -> EmailMessage:
    """Raises MailError for what would be more than one line in a header."""
    for text in (letter.to, letter.subject, server.sender):
        if not text.isprintable():
            raise MailError("a header of the letter would hold more than one line")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = server.sender, letter.to, letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _said(error: Exception) -> str:
    """What happened, by its kind: what servers say may repeat what they were sent."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server answered {error.code}"
    return f"the mail server did not take it: {type(error).__name__}"
