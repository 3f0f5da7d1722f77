"""What counts against a server, and what is about one call."""

import pytest

from torhaus.model.ports import Detached, NoStream, UpstreamError
from torhaus.upstream.exchange import Reply
from torhaus.upstream.faults import DeniedError, FaultError, cause
from torhaus.upstream.http import BrokenError, ConnectError
from torhaus.upstream.pipe import NotSentError
from torhaus.upstream.replies import unexpected


def put_otherwise(error):
    try:
        try:
            raise error
        except UpstreamError as inner:
            raise UpstreamError("in other words") from inner
    except UpstreamError as outer:
        return outer


@pytest.mark.parametrize(
    "error",
    [
        ConnectError("no connection"),
        BrokenError("it closed the connection", answered=False),
        NotSentError("it is not running"),
        *(unexpected(Reply(status, {})) for status in (200, 204, 302, 500, 502, 503, 504)),
    ],
)
def test_what_would_happen_to_every_call_counts(error):
    assert isinstance(cause(error), FaultError)
    assert isinstance(cause(put_otherwise(error)), FaultError)


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("a mistake of ours"),
        NoStream("none"),
        put_otherwise(Detached("it ended the stream")),
        *(unexpected(Reply(status, {})) for status in (400, 404, 405, 409, 422, 429)),
    ],
)
def test_what_is_about_one_call_does_not(error):
    assert cause(error) is None


@pytest.mark.parametrize(("status", "outright"), [(401, True), (403, False)])
def test_a_refused_credential_is_a_kind_of_its_own(status, outright):
    found = cause(unexpected(Reply(status, {})))

    assert isinstance(found, DeniedError)
    assert found.outright is outright
