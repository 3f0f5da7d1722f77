"""News of tasks: to whom they belong, under the ids he knows, masked as the call would be.

Behind the gate all callers share a server's credential, so a server may tell anybody of any task.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from torhaus.cache.invalidation import invalidations
from torhaus.gate.masking import Masking
from torhaus.gate.questions import allowed
from torhaus.gate.relay import Relay
from torhaus.gate.tasks import RELATED, Tasks, under
from torhaus.mcp.message import encode, notification_text, read_incoming
from torhaus.model.caching import Selector
from torhaus.model.ports import Notice
from torhaus.model.task import Task
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.methods import TASK_FILTERS
from torhaus.policy.scopes import scoped

NEWS = "notifications/tasks"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
_ABOUT_TASKS = (NEWS, ACKNOWLEDGED)
_NAMING = RELATED.encode()

_decode = msgspec.json.decode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True, kw_only=True)
class TaskNews:
    """Owned by one event loop. `forget` is called with what a task that is done made untrue."""

    tasks: Tasks
    masking: Masking
    forget: Callable[[tuple[Selector, ...]], None]

    def notice(self, notice: Notice, relay: Relay) -> Notice | None:
        """What a server says, under the ids that the caller knows; None for news of others' tasks.

        The very notice where it is about no task.
        """
        method = notice.method
        if method is None:
            return notice
        # A name can be spelled with escapes in JSON, so these two are read whatever they look like.
        if not method.startswith(_ABOUT_TASKS) and _NAMING not in notice.body:
            return notice
        news = method.startswith(NEWS)
        try:
            params = _decode(read_incoming(notice.body).params or b"{}")
        except _BROKEN:
            return None if news else notice
        if not isinstance(params, dict):
            return None if news else notice
        if news:
            asked = allowed(params, relay.server.asks)
            if asked is not params:
                body = notification_text(method, encode(asked))
                notice = msgspec.structs.replace(notice, body=body)
            return self._news(notice, method, asked, relay)
        if method == ACKNOWLEDGED:
            return _acknowledged(notice, params, lambda each: self._of(relay, each))
        return _related(notice, params, lambda each: self._of(relay, each))

    def _of(self, relay: Relay, task_id: object) -> Task | None:
        if not isinstance(task_id, str):
            return None
        if relay.tasks is not None:
            return relay.tasks.get(task_id)
        return self.tasks.known.get((relay.server.name, relay.principal, task_id))

    def _news(
        self, notice: Notice, method: str, params: dict[str, Any], relay: Relay
    ) -> Notice | None:
        task = self._of(relay, params.get("taskId"))
        caller = self.masking.known(relay.principal)
        if task is None or caller is None:
            return None
        if relay.scopes is not None:
            caller = scoped(caller, relay.scopes)
        call, verdict = self.tasks.about(caller, relay.server, task)
        if isinstance(verdict, Deny):
            return None
        if params.get("status") == "completed":
            self.forget(tuple(invalidations(call)))
        permitted = verdict if isinstance(verdict, Allow) else verdict.allow
        shown: Notice | None = notice
        if permitted.redact is not None:
            shown = self.masking.veil(permitted.redact, relay.server.name).notice(notice)
        if shown is None:
            return None
        text = bytes(read_incoming(shown.body).params or b"{}")
        body = notification_text(method, under(text, task))
        return msgspec.structs.replace(shown, body=body)


def _acknowledged(
    notice: Notice, params: dict[str, Any], of: Callable[[object], Task | None]
) -> Notice:
    """What was granted: of tasks those of the listener, as he knows them."""
    wanted = params.get("notifications")
    if not isinstance(wanted, dict) or not TASK_FILTERS & wanted.keys():
        return notice
    kept = dict(wanted)
    for kind in TASK_FILTERS & kept.keys():
        found = map(of, kept[kind] if isinstance(kept[kind], list) else [])
        kept[kind] = [task.token for task in found if task is not None]
    body = notification_text(ACKNOWLEDGED, encode({**params, "notifications": kept}))
    return msgspec.structs.replace(notice, body=body)


def _related(
    notice: Notice, params: Mapping[str, Any], of: Callable[[object], Task | None]
) -> Notice:
    """A request or notification in the course of a task says which one."""
    meta = params.get("_meta")
    related = meta.get(RELATED) if isinstance(meta, dict) else None
    task = of(related.get("taskId")) if isinstance(related, dict) else None
    if task is None:
        return notice
    message: dict[str, Any] = _decode(notice.body)
    message["params"] = _decode(under(encode(params), task))
    return msgspec.structs.replace(notice, body=encode(message))
