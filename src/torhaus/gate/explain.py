"""What the gate would say to a call, and why: its own steps, without a caller or a server."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.config.places import NOWHERE, Places
from torhaus.gate import calls
from torhaus.gate.calls import Asking
from torhaus.gate.standing import DATABASE, Seen, Turned, scopes_of, seen, where
from torhaus.mcp.message import CallerError, Request, read
from torhaus.model.call import Call
from torhaus.model.credentials import Credential
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.standing import Standing
from torhaus.model.verdict import Allow, Deny, Hold, Step, Verdict
from torhaus.policy.decide import decide
from torhaus.policy.scopes import scoped


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


class Known(msgspec.Struct, frozen=True):
    """What is known besides the rules: of the person by the database, of the rules by the file."""

    standing: Standing | None = None
    places: Places = NOWHERE


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`verdict`: `allow`, `deny` or `approval`. The last step of `trace` is the verdict.

    `place`: where the rule stands: `FILE:LINE`, and how the caller has its role; or the database.
    """

    verdict: str
    policy_applied: str
    code: str
    reason: str
    trace: tuple[Step, ...]
    place: str = ""


UNKNOWN = Known()


def explain(rules: Rules, question: Question, now: float, known: Known = UNKNOWN) -> Explanation:
    """What door and gate would decide at `now` (Unix seconds), through the same functions.

    Raises ValueError when the arguments are no JSON object.
    """
    request = _request(question)
    server = _server(rules, question.server)
    found, standing = Seen(()), known.standing
    if standing is not None:
        found = seen(rules, standing, "" if server is None else server.name, now)
        if found.turned is not None:
            return _turned(found.turned, found.steps)
    decided = _decided(rules, request, question, server, now, found.credential)
    place = _place(rules, decided, known, now)
    return msgspec.structs.replace(decided, trace=(*found.steps, *decided.trace), place=place)


def _decided(
    rules: Rules,
    request: Request,
    question: Question,
    server: Server | None,
    now: float,
    credential: Credential | None,
) -> Explanation:
    caller = rules.principals.get(question.user) or rules.principals.get(question.user.lower())
    if caller is None:
        return _unknown("no_active_role", "user", question.user, rules.principals)
    if server is None:
        return _unknown("unknown_server", "server", question.server, rules.servers)
    if credential is not None and credential.scopes:
        caller = scoped(caller, scopes_of(credential))
    asking = Asking(request=request, caller=caller, server=server, era=Era.MODERN, ip=question.ip)
    try:
        call = calls.build(asking, "explained", question.hints)
    except CallerError as error:
        return _refused("request", "invalid_request", f"{error}. The gate answers with an error.")
    return explained(msgspec.structs.replace(call, client=question.client), now)


def _turned(turned: Turned, steps: tuple[Step, ...]) -> Explanation:
    last = Step("verdict", "deny", turned.rule, turned.reason)
    return Explanation(
        verdict="deny",
        policy_applied=turned.rule,
        code=turned.code,
        reason=turned.reason,
        trace=(*steps, last),
        place=DATABASE,
    )


def _place(rules: Rules, answer: Explanation, known: Known, now: float) -> str:
    """Where the rule that was applied stands, and how the caller has its role."""
    rule = answer.policy_applied
    if rule.startswith("stop:"):
        return DATABASE
    if rule == "scopes" and known.standing is not None:
        return f"{DATABASE}, key {known.standing.key}"
    found, role = known.places.rule(rule), rule.partition(": ")[0]
    if known.standing is None:
        return found
    had = where(rules, known.standing, role, known.places.every(), now)
    return "; ".join(each for each in (found, f"the role {role}: {had}" if had else "") if each)


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
