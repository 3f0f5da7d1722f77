import pytest

from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.policy.house import may, right
from torhaus.policy.permission import parse
from torhaus.policy.scopes import permissions, scoped


def somebody(*allows: str, denies: tuple[str, ...] = (), email: str = "a@example.org") -> Principal:
    access = Access(
        allows=tuple(parse(each, each) for each in allows),
        denies=tuple(parse(each, each) for each in denies),
    )
    return Principal(id=email, email=email, phases=(Phase(roles=("r",), access={"*": access}),))


@pytest.mark.parametrize("kind", ["people", "keys", "stops"])
def test_each_right_is_one_of_its_own(kind: str) -> None:
    assert may(somebody(right(kind)), kind, 0.0) is None
    assert may(somebody("*"), kind, 0.0) is None
    for other in {"people", "keys", "stops"} - {kind}:
        assert f"torhaus:{other}:admin" in str(may(somebody(right(kind)), other, 0.0))


def test_rights_on_every_server_are_none_on_the_house() -> None:
    assert may(somebody("*:admin"), "people", 0.0) is not None
    assert may(Principal(id="x@x.de", email="x@x.de"), "people", 0.0) is not None


def test_a_deny_removes_the_right_and_expiry_does() -> None:
    assert may(somebody("*", denies=("torhaus:people:admin",)), "people", 0.0) is not None
    assert may(somebody("*", email="anonymous"), "people", 0.0) is not None
    over = Principal(id="x@x.de", email="x@x.de", expires=1.0)
    assert may(over, "people", 1.0) == "your access has ended"


def test_scopes_take_the_right_away() -> None:
    free = somebody("*")

    assert may(scoped(free, permissions(["torhaus:people:admin"])), "people", 0.0) is None
    assert "scopes" in str(may(scoped(free, permissions(["github:*"])), "people", 0.0))


def test_a_condition_is_about_calls() -> None:
    class Never:
        text = "false"

        def holds(self, facts: object) -> bool:
            return False

    held = Access(allows=(Permission("torhaus", "people", "admin", "r", Never()),))
    who = Principal(id="a@x.de", email="a@x.de", phases=(Phase(roles=("r",), access={"*": held}),))
    assert may(who, "people", 0.0) is not None
