"""Tasks: a call that its server goes on with, and asks to be polled for.

Behind the gate all callers share a server's credential, and its task ids with it. So an id leaves
sealed to its principal and server, together with the tool call that made the task: whoever polls
or cancels it is decided as that call was, at that moment. Nothing is kept for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from torhaus.cache.invalidation import invalidations
from torhaus.gate.calls import NO_HINTS, Asking
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.verdicts import Verdicts
from torhaus.mcp import codes
from torhaus.mcp.eras import PREFIX
from torhaus.mcp.extensions import TASKS, declared
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.caching import Selector
from torhaus.model.call import Call
from torhaus.model.people import Principal
from torhaus.model.servers import Era, Server
from torhaus.model.task import Task
from torhaus.model.verdict import Allow, Hold, Verdict
from torhaus.policy.methods import LISTEN, TASK_FILTERS, without_tasks

METHODS = frozenset(("tasks/get", "tasks/update", "tasks/cancel", "tasks/result"))
SPECIAL = METHODS | {"tasks/list", LISTEN}
"""Requests that are looked at here before they are calls."""
_READS = ("tasks/get", "tasks/result")
_READ = frozenset(("read",))
RELATED = PREFIX + "related-task"
LIFETIME = 30 * 86400.0
"""Seconds for which a task can be asked for, if its server keeps it that long."""
MAX_ARGUMENTS = 1500
"""Octets of the arguments that travel in an id, which travels in a header."""
MAX_VALUE = 200
MOST = 4096
"""Tasks that are known without a listener who named them: those of sessions are told of by that."""

_LEGACY = Era.LEGACY  # looking a member up costs more than comparing with it
_decode = msgspec.json.decode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


Place = tuple[str, str, str]


@dataclass(slots=True, kw_only=True)
class Tasks:
    """Owned by one event loop. `clock`: Unix seconds. `known`: those seen last."""

    sealer: Sealer
    verdicts: Verdicts
    catalogue: Catalogue
    clock: Callable[[], float]
    known: dict[Place, Task] = field(default_factory=dict)

    # -- requests ------------------------------------------------------------------------------

    def asked(self, asking: Asking) -> Asking:
        """The request under its server's own ids. Raises CallerError for what is not the caller's.

        Of news that are asked for, those of others' tasks are left out.
        """
        request = asking.request
        if request.method == "tasks/list":
            text = "tasks are not listed here: others' would be among them"
            raise CallerError(codes.METHOD_NOT_FOUND, text, status=404, id=request.id)
        if request.method == "tasks/result" and asking.era is Era.MODERN:
            text = "there is no tasks/result any more: tasks/get tells how a task ended"
            raise CallerError(codes.METHOD_NOT_FOUND, text, status=404, id=request.id)
        if request.method == LISTEN:
            told = without_tasks(request.params) != request.params
            return self._listening(asking) if told else asking
        token = request.params.get("taskId")
        task = self._opened(token, asking.server, asking.caller, asking.ip)
        if task is None:
            text = "the task is not known here: whoever started it may ask for it, for 30 days"
            raise CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
        self._remember(asking.server.name, asking.caller.id, task)
        return msgspec.structs.replace(
            asking, request=_with(request, {**request.params, "taskId": task.id}), task=task
        )

    def _opened(self, token: object, server: Server, caller: Principal, ip: str) -> Task | None:
        if not isinstance(token, str):
            return None
        try:
            content = self.sealer.unseal(token, _bound(server.name, caller.id), self.clock())
        except SealError:
            return None
        task_id, tool, arguments = _decode(content)
        return Task(token, task_id, tool, arguments, ip)

    def _listening(self, asking: Asking) -> Asking:
        params: dict[str, Any] = dict(asking.request.params)
        for name, wanted in list(params.items()):
            if not isinstance(wanted, dict):
                continue
            kept = dict(wanted)
            for kind in TASK_FILTERS & kept.keys():
                tokens = kept[kind] if isinstance(kept[kind], list) else []
                kept[kind] = self._own(asking, tokens)
            params[name] = kept
        return msgspec.structs.replace(asking, request=_with(asking.request, params))

    def _own(self, asking: Asking, tokens: list[object]) -> list[str]:
        return list(self.heard(tokens, asking.server, asking.caller, asking.ip))

    def heard(
        self, tokens: Iterable[object], server: Server, caller: Principal, ip: str
    ) -> dict[str, Task]:
        """Those among them whose news the caller may hear now, by the ids they have at the server.

        Others' tasks, expired ones and what is no id of ours are left out.
        """
        found: dict[str, Task] = {}
        for token in tokens:
            task = self._opened(token, server, caller, ip)
            if task is not None and _may(self.about(caller, server, task)[1]):
                self._remember(server.name, caller.id, task)
                found[task.id] = task
        return found

    def listened(self, asking: Asking) -> dict[str, Task]:
        """Those a listener asks for, as far as he may hear of them, under their servers' ids."""
        tokens: list[object] = []
        for wanted in asking.request.params.values():
            for kind in TASK_FILTERS & wanted.keys() if isinstance(wanted, dict) else ():
                tokens.extend(wanted[kind] if isinstance(wanted[kind], list) else [])
        return self.heard(tokens, asking.server, asking.caller, asking.ip)

    # -- decisions -----------------------------------------------------------------------------

    def judged(self, asking: Asking, call: Call) -> tuple[Call, Verdict]:
        """The call as it is recorded, and what is decided: as of the call that made the task."""
        now, task = self.clock(), asking.task
        if task is None:  # a listener, whose tasks have been looked at one by one
            asks = msgspec.structs.replace(call, arguments=without_tasks(call.arguments))
            return call, self.verdicts.decide(asks, now)
        verdict = self.verdicts.decide(self._made_by(call, task), now)
        if isinstance(verdict, Hold):
            verdict = verdict.allow  # somebody agreed to the call itself
        if isinstance(verdict, Allow) and call.method in _READS:
            verdict = msgspec.structs.replace(verdict, actions=_READ)
        said = {k: v for k, v in asking.request.params.items() if k != "_meta"}
        return msgspec.structs.replace(call, payload=encode({**said, "tool": task.tool})), verdict

    def _made_by(self, call: Call, task: Task) -> Call:
        listed = self.catalogue.find(call.server, task.tool, self.clock())
        return msgspec.structs.replace(
            call,
            method="tools/call",
            operation=task.tool,
            arguments=task.arguments,
            hints=NO_HINTS if listed is None else listed.hints,
        )

    def about(self, caller: Principal, server: Server, task: Task) -> tuple[Call, Verdict]:
        """The call that made the task, and how it would be decided now."""
        call = Call(
            id="",
            caller=caller,
            server=server,
            method="tools/call",
            operation=task.tool,
            arguments=task.arguments,
            payload=b"",
            ip=task.ip,
        )
        made = self._made_by(call, task)
        return made, self.verdicts.decide(made, self.clock())

    def untrue(self, asking: Asking, call: Call, result: bytes | None) -> tuple[Selector, ...]:
        """Kept answers that are untrue now: the call that made the task has been carried out."""
        task = asking.task
        if task is None or result is None or call.method not in _READS:
            return ()
        ended = call.method == "tasks/result" or b'"completed"' in result
        return tuple(invalidations(self._made_by(call, task))) if ended else ()

    # -- answers -------------------------------------------------------------------------------

    def answered(self, asking: Asking, result: bytes) -> bytes:
        """The result under the ids that the caller knows. Raises as reading does."""
        task = asking.task
        if task is not None:
            return under(result, task)
        if asking.era is _LEGACY and "task" not in asking.request.params:
            return result  # nearly every call
        if not _takes_tasks(asking) or b'"taskId"' not in result:
            return result
        loose = _decode(result)
        if not isinstance(loose, dict):
            return result
        modern = asking.era is Era.MODERN
        made = loose if modern else loose.get("task")
        if (modern and loose.get("resultType") != "task") or not isinstance(made, dict):
            return result
        task_id = made.get("taskId")
        if not isinstance(task_id, str):
            return result
        made["taskId"] = self._sealed(asking, task_id)
        return encode(loose)

    def _sealed(self, asking: Asking, task_id: str) -> str:
        server, principal = asking.server.name, asking.caller.id
        tool, arguments = str(asking.request.params["name"]), _few(asking.request.params)
        content = encode([task_id, tool, arguments])
        token = self.sealer.seal(content, _bound(server, principal), self.clock() + LIFETIME)
        self._remember(server, principal, Task(token, task_id, tool, arguments, asking.ip))
        return token

    def _remember(self, server: str, principal: str, task: Task) -> None:
        place = server, principal, task.id
        if place not in self.known and len(self.known) >= MOST:
            del self.known[next(iter(self.known))]
        self.known[place] = task

    # -- messages ------------------------------------------------------------------------------

    def said(self, server: str, principal: str, payload: bytes) -> bytes:
        """What a client answers or tells in the course of a task, under the server's own id."""
        if RELATED.encode() not in payload:
            return payload
        try:
            loose = _decode(payload)
            related = loose["_meta"][RELATED]
            content = self.sealer.unseal(related["taskId"], _bound(server, principal), self.clock())
        except (*_BROKEN, SealError, KeyError, TypeError, AttributeError):
            return payload
        related["taskId"] = _decode(content)[0]
        return encode(loose)


def unlisted(result: bytes) -> bytes:
    """The result of `initialize` without the promise to list tasks. Raises as reading does."""
    if b'"tasks"' not in result:
        return result
    loose = _decode(result)
    able = loose.get("capabilities") if isinstance(loose, dict) else None
    tasks = able.get("tasks") if isinstance(able, dict) else None
    if not isinstance(tasks, dict) or "list" not in tasks:
        return result
    del tasks["list"]
    return encode(loose)


def _bound(server: str, principal: str) -> bytes:
    return binding("task", server, principal)


def _with(request: Request, params: dict[str, Any]) -> Request:
    return Request(request.id, request.method, params, encode(params))


def _takes_tasks(asking: Asking) -> bool:
    """Whether the caller has said that a task may be the answer."""
    params = asking.request.params
    return "task" in params if asking.era is _LEGACY else declared(params, TASKS)


def _may(verdict: Verdict) -> bool:
    return isinstance(verdict, Allow | Hold)


def _few(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments, or what is short of them."""
    given = params.get("arguments")
    if not isinstance(given, dict):
        return {}
    if len(encode(given)) <= MAX_ARGUMENTS:
        return given
    kept: dict[str, Any] = {}
    room = MAX_ARGUMENTS
    for name, value in given.items():
        size = len(encode({name: value}))
        if size <= min(MAX_VALUE, room):
            kept[name] = value
            room -= size
    return kept


def under(text: bytes, task: Task) -> bytes:
    """The JSON text with the task's id as its principal knows it. Raises as reading does."""
    if encode(task.id) not in text:
        return text
    loose = _decode(text)
    if not isinstance(loose, dict):
        return text
    _rename(loose, task)
    return encode(loose)


def _rename(loose: dict[str, Any], task: Task) -> None:
    if loose.get("taskId") == task.id:
        loose["taskId"] = task.token
    meta = loose.get("_meta")
    related = meta.get(RELATED) if isinstance(meta, dict) else None
    if isinstance(related, dict) and related.get("taskId") == task.id:
        related["taskId"] = task.token
    inner = loose.get("result")
    if isinstance(inner, dict):
        _rename(inner, task)
    asked = loose.get("inputRequests")
    for each in asked.values() if isinstance(asked, dict) else ():
        if isinstance(each, dict) and isinstance(each.get("params"), dict):
            _rename(each["params"], task)
