"""What the gate would say to a call, and why: its own steps, without a caller or a server."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.gate import calls
from torhaus.gate.calls import Asking
from torhaus.mcp.message import CallerError, Request, read
from torhaus.model.call import Call
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.verdict import Allow, Deny, Hold, Step, Verdict
from torhaus.policy.decide import decide


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is only thought of. `user`: an e-mail address. `arguments`: JSON text.

    `hints`: the annotations the server gives its tool, which can only make a verdict stricter.
    """

    user: str
    server: str
    tool: str
    arguments: str = "{}"
    ip: str = "127.0.0.1"
    client: str = ""
    hints: Mapping[str, Any] = {}


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`verdict`: `allow`, `deny` or `approval`. The last step of `trace` is the verdict."""

    verdict: str
    policy_applied: str
    code: str
    reason: str
    trace: tuple[Step, ...]


def explain(rules: Rules, question: Question, now: float) -> Explanation:
    """What the gate would decide at `now` (Unix seconds), through the same functions.

    Raises ValueError when the arguments are no JSON object.
    """
    request = _request(question)
    caller = rules.principals.get(question.user) or rules.principals.get(question.user.lower())
    server = _server(rules, question.server)
    if caller is None:
        return _unknown("no_active_role", "user", question.user, rules.principals)
    if server is None:
        return _unknown("unknown_server", "server", question.server, rules.servers)
    asking = Asking(request=request, caller=caller, server=server, era=Era.MODERN, ip=question.ip)
    try:
        call = calls.build(asking, "explained", question.hints)
    except CallerError as error:
        return _refused("request", "invalid_request", f"{error}. The gate answers with an error.")
    return explained(msgspec.structs.replace(call, client=question.client), now)


def _server(rules: Rules, name: str) -> Server | None:
    """`firebase`, or `firebase:production` where that is its environment."""
    server = rules.servers.get(name)
    if server is not None:
        return server
    name, _, environment = name.partition(":")
    server = rules.servers.get(name)
    return server if server is not None and server.environment == environment else None


def explained(call: Call, now: float) -> Explanation:
    """The verdict on a call, with the steps that led to it."""
    trace: list[Step] = []
    verdict = decide(call, now, trace)
    word, code = _words(verdict)
    return Explanation(
        verdict=word,
        policy_applied=verdict.rule,
        code=code,
        reason=verdict.reason,
        trace=tuple(trace),
    )


def _words(verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case Allow():
            return "allow", "allowed"
        case Deny(code=code):
            return "deny", code
        case Hold():
            return "approval", "approval_required"


def _request(question: Question) -> Request:
    """The call as a client would send it, read as strictly as the gate reads."""
    name = json.dumps(question.tool)
    text = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
        f'{{"name":{name},"arguments":{question.arguments}}}}}'
    )
    try:
        # Alone first: text that closes our own brackets is not arguments.
        msgspec.json.decode(question.arguments.encode())
        message = read(text.encode())
    except (CallerError, msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"the arguments are not JSON the gate takes: {error}") from error
    if not isinstance(message, Request) or not isinstance(message.params["arguments"], dict):
        raise ValueError(  # noqa: TRY004 - a value of the right type with the wrong content
            'the arguments must be an object, such as {"repo": "myorg/myrepo"}'
        )
    return message


def _unknown(code: str, what: str, name: str, known: Mapping[str, object]) -> Explanation:
    some = ", ".join(list(known)[:5]) or "none"
    more = ", ..." if len(known) > 5 else ""
    return _refused(what, code, f"There is no {what} {name!r} here; known: {some}{more}.")


def _refused(step: str, code: str, reason: str) -> Explanation:
    last = (
        Step(step, "deny", "default_deny", reason),
        Step("verdict", "deny", "default_deny", reason),
    )
    return Explanation(
        verdict="deny", policy_applied="default_deny", code=code, reason=reason, trace=last
    )
