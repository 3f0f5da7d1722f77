"""Shipped questions; that each is answered is seen in `store/query`."""

import re

import pytest

from torhaus.audit.saved import SHIPPED, named


@pytest.mark.parametrize("name", SHIPPED)
def test_a_name_is_easy_to_type_and_says_what_it_answers(name: str) -> None:
    assert re.fullmatch("[a-z][a-z0-9-]{0,62}", name)
    assert SHIPPED[name].about.endswith((".", "?"))


def test_own_questions_go_before_shipped_ones() -> None:
    assert named("denied", {"denied": "SELECT 1"}) == "SELECT 1"
    assert named("denied", {}) == SHIPPED["denied"].sql
    assert named("nothing", {}) is None
