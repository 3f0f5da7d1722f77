import pytest

from tests.torhaus.policy.people import asked, call, server
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import ToolClass
from torhaus.policy.asked import Asked
from torhaus.policy.classify import lineage
from torhaus.policy.conditions import compile_condition
from torhaus.policy.grants import granting

PARENTS = {"labels": "issues", "issues": "repos"}


def holding(held: list[Permission], kind: str) -> Asked:
    """A call about one type of thing, by somebody with these permissions."""
    phase = Phase(access={"acme": Access(allows=tuple(held))})
    by = Principal(id="b", email="bob@example.org", phases=(phase,))
    row = ToolClass(actions=frozenset({"read"}), type=kind)
    house = server("acme", classes={"x": row}, parents=PARENTS)
    return asked(call("x", by=by, at=house))


@pytest.mark.parametrize(
    ("held", "action", "kind", "covers"),
    [
        (("*", "read"), "read", "issues", True),
        (("*", "read"), "write", "issues", False),
        (("*", "*"), "unknown", "", True),
        (("issues", "*"), "unknown", "", False),
        (("issues", "read"), "read", "issues", True),
        (("issues", "read"), "read", "labels", True),
        (("repos", "read"), "read", "labels", True),
        (("labels", "read"), "read", "issues", False),
        (("issues", "read"), "read", "*", False),
        (("*", "read"), "read", "", True),
    ],
)
def test_a_permission_covers_its_type_and_what_belongs_to_it(
    held: tuple[str, str], action: str, kind: str, *, covers: bool
) -> None:
    permission = Permission("acme", *held, "r")

    found = granting(holding([permission], kind), action)

    assert found is (permission if covers else None)


def test_the_first_permission_that_fits_is_named() -> None:
    held = [
        Permission("acme", "*", "write", "write"),
        Permission("acme", "repos", "read", "repos"),
        Permission("acme", "issues", "*", "everything"),
        Permission("acme", "*", "read", "read"),
    ]

    found = granting(holding(held, "issues"), "read")

    assert found is held[1]


def test_a_condition_that_does_not_hold_or_cannot_be_told_leaves_it_to_the_next() -> None:
    def when(text: str) -> Permission:
        return Permission("acme", "*", "read", text, compile_condition(text))

    broken, no, yes = when("args.missing == 1"), when('user == "x"'), when('user != ""')

    assert granting(holding([broken, no, yes], "issues"), "read") is yes
    assert granting(holding([no, broken], "issues"), "read") is None


def test_a_ring_of_parents_ends() -> None:
    assert lineage("issues", {"issues": "repos", "repos": "issues"}) == ("issues", "repos")
