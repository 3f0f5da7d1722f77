"""Sinks that are reached over HTTP: a webhook, OpenTelemetry, Elasticsearch and OpenSearch."""

import socket
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from torhaus import __version__
from torhaus.audit import bulk, otlp
from torhaus.identity.signature import HEADER, header
from torhaus.model.shipping import OtlpTarget, Parcel, SearchTarget, WebhookTarget
from torhaus.store.audit.sinks.posting import Poster

_AGENT = {"user-agent": f"torhaus/{__version__}"}
_JSON = {**_AGENT, "content-type": "application/json"}


class WebhookSink:
    """Posts `{"id", "records": [...]}`, records as they stand in the log.

    The same batch has the same id. The receiver checks the signature as with notices.
    """

    def __init__(
        self, target: WebhookTarget, timeout: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = target.secret
        self._clock = clock
        self._poster = Poster(target.url, target.trust, timeout)

    def deliver(self, batch: Sequence[Parcel]) -> None:
        ids = "\n".join(parcel.id for parcel in batch)
        id = sha256(ids.encode()).hexdigest()[:32]
        body = b'{"id":"%s","records":[%s]}' % (id.encode(), b",".join(p.line for p in batch))
        stamp = f"{self._clock():.0f}"
        signed = {HEADER: header(self._secret.reveal(), stamp, body)}
        self._poster.post(body, {**_JSON, **signed})

    def close(self) -> None:
        self._poster.close()


class OtlpSink:
    """OTLP/HTTP with JSON. `url`: the whole endpoint, such as `https://collector:4318/v1/logs`."""

    def __init__(
        self, target: OtlpTarget, timeout: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._headers = target.headers
        self._clock = clock
        self._node = socket.gethostname()
        self._poster = Poster(target.url, target.trust, timeout)

    def deliver(self, batch: Sequence[Parcel]) -> None:
        body = otlp.export(batch, __version__, self._node, self._clock())
        given = {name: value.reveal() for name, value in self._headers}
        answer, _ = self._poster.post(body, {**given, **_JSON})
        otlp.look(answer, len(batch))

    def close(self) -> None:
        self._poster.close()


class SearchSink:
    """`_bulk` of Elasticsearch and OpenSearch. Ids come from where a record stands in the log."""

    def __init__(self, target: SearchTarget, timeout: float) -> None:
        self._target = target
        self._poster = Poster(target.url.rstrip("/") + "/_bulk", target.trust, timeout)

    def deliver(self, batch: Sequence[Parcel]) -> None:
        headers = {**_AGENT, "content-type": "application/x-ndjson"}
        if self._target.authorization is not None:
            headers["authorization"] = self._target.authorization.reveal()
        answer, wait = self._poster.post(bulk.body(batch, self._target.index), headers)
        bulk.look(answer, len(batch), wait)

    def close(self) -> None:
        self._poster.close()
