"""Calls that need approval: the policy that asks for it, and those who may agree."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.torhaus.cast import ALICE, BOB, DANA, NOW, World
from torhaus.gate.calls import Asking
from torhaus.model.access import Effect, Policy
from torhaus.model.approval import Approval, ApprovalSettings, State, Wanted
from torhaus.model.outcome import Outcome, Refused
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server

WRITING = Policy(
    name="four eyes",
    effect=Effect.REQUIRE_APPROVAL,
    actions=frozenset({"write", "read"}),
    approvers=("lead", "bob@example.org"),
)
HOLD = 0.15
"""Seconds a caller waits in these tests."""


def asking_first(who: Principal, *policies: Policy) -> Principal:
    """The same person, whose calls need approval."""
    phases = tuple(
        msgspec.structs.replace(
            phase,
            access={
                name: msgspec.structs.replace(
                    access, policies=(*access.policies, *policies), arguments=True
                )
                for name, access in phase.access.items()
            },
        )
        for phase in who.phases
    )
    return msgspec.structs.replace(who, phases=phases)


CAREFUL = asking_first(DANA, WRITING)
"""Dana may do everything, once somebody agrees."""


def wanted(**changes: Any) -> Wanted:
    known: dict[str, Any] = {
        "digest": b"d" * 32,
        "requester": CAREFUL.id,
        "email": CAREFUL.email,
        "server": "github",
        "tool": "create_issue",
        "arguments": "{}",
        "policy": "four eyes",
        "reason": "The policy 'four eyes' wants somebody to agree to it first.",
        "policy_version": "p1",
        "approvers": (("lead", "bob@example.org"),),
    }
    return Wanted(**{**known, **changes})


def an_approval(**changes: Any) -> Approval:
    known: dict[str, Any] = {
        "id": "apr_1",
        "state": State.PENDING,
        "wanted": wanted(),
        "created": NOW,
        "expires": NOW + 900,
    }
    return Approval(**{**known, **changes})


@dataclass
class Present:
    """A caller at the door (a `Visit`)."""

    world: World
    id: str
    gone: bool = False

    def renewed(self, rules: Rules, now: float) -> tuple[Principal, Server] | None:
        found = rules.principals.get(self.id)
        server = rules.servers.get(self.world.server.name)
        return None if found is None or server is None else (found, server)


class Holding(World):
    """A world in which Dana needs Bob's or a lead's consent. The wait is short."""

    def __init__(self, **settings: float) -> None:
        super().__init__()
        self.knows_the_tools()
        people = {each.id: each for each in (ALICE, BOB, CAREFUL)}
        self.rules = Rules(
            version="1",
            policy_version="p1",
            servers={self.server.name: self.server},
            principals=people,
            approvals=ApprovalSettings(**{"hold": HOLD, **settings}),
        )

    def changed(self, **changes: Any) -> None:
        """New rules are in force."""
        self.rules = msgspec.structs.replace(self.rules, **changes)

    def without(self, who: Principal) -> None:
        left = {id: each for id, each in self.rules.principals.items() if id != who.id}
        self.changed(principals=left)

    def approve(self, by: Principal = BOB, comment: str = "") -> None:
        self._decide(State.APPROVED, by, comment)

    def deny(self, by: Principal = BOB, comment: str = "") -> None:
        self._decide(State.DENIED, by, comment)

    def _decide(self, state: State, by: Principal, comment: str) -> None:
        pending = [id for id, each in self.approvals.all.items() if each.state is State.PENDING]
        self.approvals.decide(pending[-1], state, by.id, comment)

    def here(self, asking: Asking) -> Asking:
        """The same request, from somebody at the door."""
        return msgspec.structs.replace(asking, visit=Present(self, asking.caller.id))

    def sent(self) -> list[str | None]:
        """The tools that reached the server."""
        return [ask.name for ask in self.upstream.calls()]


ISSUE = {"owner": "o", "repo": "r", "title": "t"}


def create(world: Holding, by: Principal = CAREFUL, **changes: object) -> Asking:
    return world.here(world.tool("create_issue", {**ISSUE, **changes}, by=by))


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.verdict.code


def access(world: Holding) -> dict[str, object]:
    """The last record's `access_control`, as it is written."""
    found: dict[str, object] = json.loads(msgspec.json.encode(world.ledger.noted[-1]))[
        "access_control"
    ]
    return found
