"""News for people, on the ways that the rules in force ask for."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from torhaus.model.letters import MailServer
from torhaus.model.notify import Webhook
from torhaus.model.ports import Notifier, UpstreamError
from torhaus.model.rules import Rules
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.watch.announcer import LogNotifier
from torhaus.watch.email import EmailNotifier
from torhaus.watch.smtp import SmtpPostman
from torhaus.watch.webhook import Headers, WebhookNotifier

PATIENCE = 5.0
"""Seconds a webhook may take to connect, and to answer."""


class Mail:
    """The notifiers that the rules in force ask for. A webhook keeps its connections."""

    def __init__(self, rules: Callable[[], Rules], ids: Callable[[], str]) -> None:
        self._rules = rules
        self._ids = ids
        self._log = LogNotifier()
        self.counts: Counter[str] = Counter()
        self._hook: Webhook | None = None
        self._http: PlainHttp | None = None
        self._notifier: WebhookNotifier | None = None
        self._letters: tuple[MailServer, EmailNotifier] | None = None

    def notifiers(self) -> Sequence[Notifier]:
        hook = self._rules().webhook
        if hook != self._hook:
            self.close()
            self._hook = hook
            if hook is not None:
                self._notifier = WebhookNotifier(
                    hook, self._post, self.counts, clock=time.time, ids=self._ids
                )
        server = self._rules().mail
        if server is None:
            self._letters = None
        elif self._letters is None or self._letters[0] != server:
            postman = SmtpPostman()
            made = EmailNotifier(postman, server, self._rules, time.time, self.counts)
            self._letters = (server, made)
        found: list[Notifier] = [self._log]
        found += [] if self._notifier is None else [self._notifier]
        return found if self._letters is None else [*found, self._letters[1]]

    async def _post(self, url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        if self._http is None:
            try:
                self._http = PlainHttp(
                    url, connect_timeout=PATIENCE, timeout=PATIENCE, ca_file=None
                )
            except (OSError, ValueError) as error:
                raise UpstreamError(f"the webhook's URL cannot be used: {error}") from error
        return await self._http.post(url, headers, body)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = self._notifier = self._hook = None
