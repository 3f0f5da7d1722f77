"""The shapes of `approvals` and `notifications`: asking people, and telling them."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from torhaus.config.addresses import Email, Url, is_loopback
from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.signed import Signed
from torhaus.config.texts import Line, Token
from torhaus.model.letters import MailServer
from torhaus.model.secret import Secret


def _host(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", value) is None:
        raise FaultError("this is not a mail server's name", "write mail.example.com alone")
    return value


class Approvals(Shape):
    """Calls that somebody else has to agree to."""

    hold: Annotated[Seconds, between(0, 3600, "between 0 and 1h")] = 25.0
    """How long a caller whose client cannot ask is kept waiting, before he is told to come back."""
    expires: Annotated[Seconds, between(60, 604800, "between 1m and 7d")] = 900.0
    """How long a request can be decided, and an approval be used."""


class WebhookSpec(Signed):
    """An address of yours that notices are posted to."""

    url: Url
    """Where to, best https."""


class EmailSpec(Shape):
    """A mail server that takes letters for people."""

    host: Annotated[str, AfterValidator(_host)]
    """Its name or address."""
    port: Annotated[Whole, between(1, 65535, "a port from 1 to 65535")] | None = None
    """587 without it, or 465 with tls: tls."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """How it is encrypted; none is for a server on this machine."""
    user: Line | None = None
    """Who signs in there, if somebody has to."""
    password: Token | None = None
    """His password. Best as ${NAME}."""
    password_file: Line | None = None
    """A file that holds the password."""
    sender: Annotated[Email, Field(alias="from")]
    """The address letters are from."""

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.tls == "none" and not is_loopback(self.host):
            raise FaultError("letters would cross the network unencrypted", "use tls: starttls")
        if (self.user is None) != (self.password is None):
            raise FaultError("user and password go together", "give both, or neither")
        return self

    def server(self) -> MailServer:
        secret = self.password
        return MailServer(
            host=self.host,
            port=int(self.port or (465 if self.tls == "tls" else 587)),
            tls=self.tls,
            sender=self.sender,
            user=self.user,
            password=None if secret is None else Secret(secret.get_secret_value()),
        )


class Notifications(Shape):
    """Where people are told what waits for them, and what ends soon."""

    webhook: WebhookSpec | None = None
    """None unless given."""
    email: EmailSpec | None = None
    """None unless given: invitations are links then, to be passed on by hand."""
    later: ClassVar[Mapping[str, str]] = {
        "slack": "notices to Slack",
        "pagerduty": "notices to PagerDuty",
        "teams": "notices to Teams",
    }
