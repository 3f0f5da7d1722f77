"""What may be sent once more, and what never."""

import pytest

from torhaus.model.ports import UpstreamError
from torhaus.upstream.again import again
from torhaus.upstream.exchange import Reply
from torhaus.upstream.faults import FaultError
from torhaus.upstream.http import BrokenError, ConnectError
from torhaus.upstream.pipe import NotSentError

UNHEARD = BrokenError("it closed the connection", answered=False)
HEARD = BrokenError("it closed the connection", answered=True)


@pytest.mark.parametrize(
    ("ended", "kept", "safe", "may"),
    [
        (NotSentError("it is not running"), False, False, True),
        (Reply(404, {}), False, False, True),
        (Reply(400, {}, body=b"No valid session ID provided"), False, False, True),
        (Reply(400, {}, body=b"missing argument"), True, True, False),
        (Reply(200, {}), True, True, False),
        (Reply(429, {b"retry-after": b"1"}), True, True, False),
        (Reply(503, {b"retry-after": b"1"}), True, True, False),
        (UNHEARD, True, True, True),
        (UNHEARD, True, False, False),
        (UNHEARD, False, True, False),
        (HEARD, True, True, False),
        (ConnectError("no connection"), True, True, False),
        (FaultError("it did not answer within 5 s"), True, True, False),
        (UpstreamError("it is no longer configured"), True, True, False),
    ],
)
def test_only_what_was_not_begun_or_may_be_done_twice_is_sent_again(ended, kept, safe, may):
    assert again(ended, kept=kept, safe=safe) is may
