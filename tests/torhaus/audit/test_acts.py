from typing import Any

import msgspec
import pytest

from torhaus.audit.acts import (
    HOUSE,
    Act,
    Came,
    act_record,
    came,
    failed_record,
    refused_record,
    user,
)
from torhaus.audit.line import read, text
from torhaus.model.people import Phase, Principal
from torhaus.model.record import Record
from torhaus.store.audit.lines import add_line

ACT = Act(
    operation="approval.denied",
    server="github",
    facts={"approval": "adm_1", "secret": "hunter2"},
    before={"state": "pending"},
    after={"state": "denied"},
)
WHO = user("bob@example.org", ("tech_lead", "on_call"), "192.0.2.7")


def record(make: object = act_record, act: Act = ACT) -> Record:
    assert callable(make)
    made = make(act, WHO, id="adm_2", at=0.0, rule="merges", reason="he may")
    assert isinstance(made, Record)
    return made


def test_a_record_of_an_act_has_the_shape_of_a_calls() -> None:
    line = bytearray()
    add_line(line, record())

    assert msgspec.json.decode(bytes(line)) == {
        "timestamp": "1970-01-01T00:00:00.000Z",
        "request_id": "adm_2",
        "user": {"email": "bob@example.org", "role": "tech_lead,on_call", "ip": "192.0.2.7"},
        "mcp_server": "github",
        "operation": "approval.denied",
        "parameters": {
            "approval": "adm_1",
            "secret": "•••",
            "before": {"state": "pending"},
            "after": {"state": "denied"},
        },
        "result": {"status": "success", "items": None, "cached": False, "duration_ms": 0},
        "access_control": {"policy_applied": "merges", "allowed": True, "reason": "he may"},
    }
    assert read(bytes(line)) == record()


def test_an_act_can_be_refused_or_fail() -> None:
    refused, failed = record(refused_record), record(failed_record)

    assert (refused.result.status, refused.access_control.allowed) == ("denied", False)
    assert (failed.result.status, failed.access_control.allowed) == ("error", True)


def test_an_act_of_the_house_concerns_no_server() -> None:
    made = act_record(Act(operation="x.y"), HOUSE, id="1", at=0.0, rule="time", reason="")

    assert (made.user.email, made.mcp_server, made.parameters) == (
        "torhaus",
        "torhaus",
        msgspec.Raw(b"{}"),
    )


def test_text_from_outside_is_bounded() -> None:
    long = record(act=Act(operation="x", server="s" * 999, facts={"reason": "r" * 20_000}))

    assert len(long.mcp_server) == 256
    assert b"_truncated" in bytes(long.parameters)
    assert "\n" not in text(record(act=Act(operation="x", facts={"a": "b\nc"})))


def test_what_a_refused_act_names_and_is_not_there_may_be_a_secret() -> None:
    bare = "5f0c1d7b9a2e48069d1c77aa3b"
    act = Act(
        operation="key.revoked",
        server=bare,
        facts={"key": bare, "roles": [bare, "reader"], "person": "erin@example.org", "n": 3},
    )

    made = refused_record(
        act, WHO, id="adm_2", at=0.0, rule="not_found", reason=f"there is no {bare!r}"
    )

    assert bare not in msgspec.json.encode(made).decode()
    assert (made.mcp_server, made.operation) == ("[redacted:unknown]", "key.revoked")
    assert b"erin@example.org" in bytes(made.parameters)
    assert made.access_control.reason == "there is no '[redacted:unknown]'"
    done = act_record(act, WHO, id="adm_2", at=0.0, rule="admin", reason="")
    assert done.mcp_server == bare  # what is there has its name


@pytest.mark.parametrize("make", [act_record, refused_record, failed_record])
def test_an_act_says_what_its_actor_came_with(make: Any) -> None:
    actor = Principal(id="u", email="u@x.de", phases=(Phase(roles=("r",)),), shown="key:adm_1")

    made = make(ACT, came(actor, 0.0, "::1"), id="adm_2", at=0.0, rule="merges", reason="he may")

    assert came(actor, 0.0, "::1") == Came(user("u@x.de", ("r",), "::1"), "key:adm_1")
    assert (made.user.email, made.credential) == ("u@x.de", "key:adm_1")
