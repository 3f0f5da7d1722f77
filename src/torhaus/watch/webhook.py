"""Announcements as signed JSON, posted to one configured URL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from torhaus.identity.signature import HEADER, header
from torhaus.model.announcement import Announcement
from torhaus.model.notify import Webhook
from torhaus.model.ports import UpstreamError

log = structlog.get_logger()

TRIES = 3
WAITS = (0.5, 2.0)
"""Seconds before the second and the third try."""

Headers = tuple[tuple[str, str], ...]
Post = Callable[[str, Headers, bytes], Awaitable[tuple[int, bytes]]]
"""One POST: status and body. It follows no redirect and raises UpstreamError, also for silence."""


class WebhookNotifier:
    """The receiver checks `X-Torhaus-Signature: t=<Unix seconds>,v1=<hex>`.

    v1 is the HMAC-SHA256 of `<t>.<body>` under the secret. Receivers refuse an old `t`, and an
    `id` they have seen: a try whose answer was lost comes again with the same one. `counts`: how
    many were `sent` and how many `failed`.
    """

    def __init__(
        self,
        hook: Webhook,
        post: Post,
        counts: Counter[str],
        *,
        clock: Callable[[], float],
        ids: Callable[[], str],
        waits: tuple[float, ...] = WAITS,
    ) -> None:
        self._hook = hook
        self._post = post
        self._counts = counts
        self._clock = clock
        self._ids = ids
        self._waits = waits

    async def tell(self, announcement: Announcement) -> None:
        body = _body(announcement, self._ids())
        said = ""
        for number in range(len(self._waits) + 1):
            if number:
                await asyncio.sleep(self._waits[number - 1])
            status, said = await self._try(body)
            if 200 <= status < 300:
                self._counts["sent"] += 1
                return
            if 400 <= status < 500 and status not in (408, 425, 429):
                break  # it will not like it the next time either
        self._counts["failed"] += 1
        log.warning("notice.failed", kind=announcement.kind.value, reason=said)

    async def _try(self, body: bytes) -> tuple[int, str]:
        """The status, 0 for none, and a sentence without the URL, which can hold a secret."""
        stamp = f"{self._clock():.0f}"
        headers = ((HEADER.lower(), header(self._hook.secret.reveal(), stamp, body)),)
        try:
            status, _ = await self._post(self._hook.url, headers, body)
        except UpstreamError as error:
            return 0, f"the webhook did not answer: {error}"
        return status, f"the webhook answered HTTP {status}"


def _body(announcement: Announcement, id: str) -> bytes:
    return msgspec.json.encode(
        {
            "id": id,
            "kind": announcement.kind.value,
            "text": announcement.text,
            "at": announcement.at,
            "to": announcement.to,
            "facts": announcement.facts,
            "link": announcement.link,
        }
    )
