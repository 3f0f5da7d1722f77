"""One call: who asks which server to do what."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.model.people import Principal
from torhaus.model.servers import Server


class Call(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One JSON-RPC request of a known caller to one server.

    `method` is the protocol's (`tools/call`); `operation` is what audit and metrics name: the tool
    of a tools/call, the method otherwise. `arguments`: the decoded `params.arguments` of a
    tools/call and of prompts/get, else the decoded `params`. `payload`: the same as strict JSON
    text. `retry`: carries `inputResponses` or `requestState`, so it is never cached.
    `hints`: the tool's annotations in the server's own list, where known. `client`: the name the
    client gives itself (`clientInfo.name`), empty where it gives none. `protocol`: the revision it
    speaks. `trace`: the trace its request belongs to (W3C Trace Context), where it says so.
    `sent`: octets of `payload` as it came, whatever is masked in it later. `invented`: `operation`
    is no method of the protocol and stands in no list of the server that is known here: it may be
    anything that somebody typed. `shown`: what records call the credential he came with.
    """

    id: str
    caller: Principal
    server: Server
    method: str
    operation: str
    arguments: Mapping[str, Any]
    payload: bytes
    ip: str
    retry: bool = False
    hints: Mapping[str, Any] = {}
    client: str = ""
    protocol: str = ""
    trace: str = ""
    sent: int = 0
    invented: bool = False
    shown: str = ""
