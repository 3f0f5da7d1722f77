"""One call by Alice, and what can be changed about it."""

from typing import Any

import msgspec

from torhaus.model.call import Call
from torhaus.model.outcome import Answer, Answered
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.verdict import Allow

ALICE = Principal(id="u1", email="alice@example.org", phases=(Phase(roles=("developer",)),))
GITHUB = Server(name="github", address=HttpAddress(url="http://127.0.0.1:1/mcp"))
ALLOWED = Allow("developer_read_only", "developer may read")
AT = 1760970191.234  # 2025-10-20T14:23:11.234Z
PAYLOAD = b'{"repo":"myorg/myrepo","state":"open","labels":["bug"]}'

_CALL = Call(
    id="req_abc123xyz",
    caller=ALICE,
    server=GITHUB,
    method="tools/call",
    operation="list_issues",
    arguments={},
    payload=PAYLOAD,
    ip="192.168.1.100",
)


def call(**changes: Any) -> Call:
    return msgspec.structs.replace(_CALL, **changes)


def answered(result: bytes | None = None, *, error: bytes | None = None) -> Answered:
    return Answered(ALLOWED, Answer(result=result, error=error))
