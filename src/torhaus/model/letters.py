"""Letters: what is mailed to people, and through whom."""

from typing import Protocol

import msgspec

from torhaus.model.secret import Secret


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """`tls`: starttls, tls, or none for this machine. `sender`: the address letters are from."""

    host: str
    port: int
    tls: str
    sender: str
    user: str | None = None
    password: Secret | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    to: str
    subject: str
    text: str


class MailError(Exception):
    """The letter was not taken. The text holds no secret."""


class Postman(Protocol):
    async def send(self, server: MailServer, letter: Letter) -> None:
        """Raises MailError."""
        ...
