import pytest

from torhaus.model.people import Permission
from torhaus.policy.grants import granting

PARENTS = {"labels": "issues", "issues": "repos"}


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
    permission = Permission("github", *held, "r")

    found = granting([permission], action, kind, PARENTS)

    assert found is (permission if covers else None)


def test_the_first_permission_that_fits_is_named() -> None:
    held = [Permission("github", "*", action, action) for action in ("write", "read", "*")]

    found = granting(held, "read", "issues", {})

    assert found is held[1]


def test_a_ring_of_parents_ends() -> None:
    ring = {"issues": "repos", "repos": "issues"}

    assert granting([Permission("g", "teams", "read", "r")], "read", "issues", ring) is None
