"""Webhook, OpenTelemetry and search sinks against a real HTTP server on loopback.

The server answers as Elasticsearch and OpenSearch publish it: neither can be run here.
"""

import json

import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from tests.torhaus.store.audit.sinks.servers import HttpReceiver, Said
from torhaus.identity.signature import sign
from torhaus.model.secret import Secret
from torhaus.model.shipping import (
    DeliveryError,
    OtlpTarget,
    PartlyError,
    SearchTarget,
    WebhookTarget,
)
from torhaus.store.audit.sinks.posted import OtlpSink, SearchSink, WebhookSink

KEY = Secret("whsec-123")


def test_a_webhook_gets_records_and_can_check_who_sent_them() -> None:
    with HttpReceiver().serving() as receiver:
        where = WebhookTarget(url=f"{receiver.url}/audit", secret=KEY)
        sink = WebhookSink(where, 5.0, lambda: 1_700_000_000.4)
        sink.deliver([parcel(1), parcel(2)])
        sink.deliver([parcel(1), parcel(2)])
        sink.deliver([parcel(3)])
        sink.close()

    first, again, other = receiver.got
    stamp, _, signature = first.headers["x-torhaus-signature"].partition(",v1=")
    assert stamp == "t=1700000000"
    assert signature == sign("whsec-123", "1700000000", first.body)
    assert json.loads(first.body)["records"] == [json.loads(parcel(n).line) for n in (1, 2)]
    assert first.body == again.body
    assert json.loads(other.body)["id"] != json.loads(first.body)["id"]


def test_a_collector_gets_log_records_with_the_headers_it_wants() -> None:
    with HttpReceiver(Said(body=b'{"partialSuccess":{}}')).serving() as receiver:
        where = OtlpTarget(url=f"{receiver.url}/v1/logs", headers=(("x-api-key", Secret("k")),))
        sink = OtlpSink(where, 5.0)
        sink.deliver([parcel(1), parcel(2)])
        sink.close()

    got = receiver.got[0]
    sent = json.loads(got.body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert (got.path, got.headers["x-api-key"]) == ("/v1/logs", "k")
    assert got.headers["content-type"] == "application/json"
    assert [each["body"]["stringValue"].encode() for each in sent] == [
        parcel(1).line,
        parcel(2).line,
    ]


def test_a_collector_that_refuses_some_is_heard() -> None:
    answer = b'{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"old"}}'

    with HttpReceiver(Said(body=answer)).serving() as receiver:
        sink = OtlpSink(OtlpTarget(url=f"{receiver.url}/v1/logs"), 5.0)
        with pytest.raises(PartlyError):
            sink.deliver([parcel(1), parcel(2)])
        sink.close()


def test_a_search_server_gets_bulk_requests() -> None:
    taken = b'{"took":3,"errors":false,"items":[{"create":{"_id":"x","status":201}}]}'

    with HttpReceiver(Said(body=taken)).serving() as receiver:
        where = SearchTarget(
            url=f"{receiver.url}/es/", index="audit", authorization=Secret("ApiKey abc")
        )
        sink = SearchSink(where, 5.0)
        sink.deliver([parcel(1)])
        sink.close()

    got = receiver.got[0]
    assert (got.path, got.headers["authorization"]) == ("/es/_bulk", "ApiKey abc")
    assert got.headers["content-type"] == "application/x-ndjson"
    assert json.loads(got.body.splitlines()[0])["create"]["_index"] == "audit-2026.01"


def test_a_search_server_that_is_busy_as_a_whole_says_when_to_come_back() -> None:
    busy = b'{"error":{"type":"es_rejected_execution_exception"},"status":429}'

    with HttpReceiver(Said(429, busy, {"retry-after": "3"})).serving() as receiver:
        sink = SearchSink(SearchTarget(url=receiver.url, index="audit"), 5.0)
        with pytest.raises(DeliveryError) as caught:
            sink.deliver([parcel(1)])
        sink.close()

    assert caught.value.wait == 3.0
