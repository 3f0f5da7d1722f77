import pytest

from torhaus.policy.methods import EXTENSION, NEEDS, OPEN, Need, need


def test_no_method_is_both_open_and_needing() -> None:
    assert OPEN.isdisjoint(NEEDS)


@pytest.mark.parametrize("method", ["initialize", "tools/list", "notifications/cancelled"])
def test_open_methods_need_nothing_of_their_own(method: str) -> None:
    assert need(method, {}) is None


@pytest.mark.parametrize("method", ["", "x", "resources/Read", "notifications", "tools/call"])
def test_a_method_nobody_knows_is_an_extension(method: str) -> None:
    assert need(method, {}) == EXTENSION


def test_a_completion_reads_what_it_refers_to() -> None:
    asked = "completion/complete"

    assert need(asked, {"ref": {"type": "ref/prompt"}}) == Need("read", "prompts")
    assert need(asked, {"ref": {"type": "ref/resource"}}) == Need("read", "resources")
    assert need(asked, {"ref": {"type": "ref/else"}}) == Need("read", "*")
    assert need(asked, {}) == Need("read", "*")
