from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, DANA, Hall, play
from tests.torhaus.cast import run
from torhaus.admin.acts import RequestAccess
from torhaus.admin.cache import PurgeCache
from torhaus.admin.people.acts import AddPerson, MakeKey, MakeStop
from torhaus.admin.scopes import may_try
from torhaus.model.stops import StopKind
from torhaus.policy.scopes import permissions, scoped

STOP = MakeStop(kind=StopKind.SERVER, target="github", reason="x")


@pytest.mark.parametrize(
    ("scopes", "act", "may"),
    [
        (("github:read",), AddPerson(email="e@example.org"), False),
        (("torhaus:people:admin",), AddPerson(email="e@example.org"), True),
        (("torhaus:people:admin",), STOP, False),
        (("github:admin",), PurgeCache("github"), True),
        (("jira:admin",), PurgeCache("github"), False),
        (("github:admin", "torhaus:keys:admin"), RequestAccess("developer", 60.0), False),
        (("torhaus:keys:admin",), MakeKey(email="a", digest=b"", label="x"), False),
        (("*",), RequestAccess("developer", 60.0), True),
    ],
)
def test_an_act_needs_a_scope_that_names_its_right(
    scopes: tuple[str, ...], act: object, may: bool
) -> None:
    assert may_try(scoped(DANA, permissions(scopes)), act) is may
    assert may_try(DANA, act)


def test_what_the_scopes_leave_out_is_refused_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        held = scoped(ALICE, permissions(["github:read"]))

        refusal = await hall.refused(held, RequestAccess("tech_lead", 3600.0))

        assert refusal.code == "not_allowed"
        assert hall.ends() == [("scopes.exceeded", ALICE.email, "denied")]
        assert hall.parameters()["act"] == "RequestAccess"

    run(play(tmp_path, story))
