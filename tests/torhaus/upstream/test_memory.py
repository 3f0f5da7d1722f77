"""What sessions wished, and what one server is told of it."""

from torhaus.upstream.memory import MAX_SESSIONS, Memory


def test_the_server_gets_the_lowest_level_anybody_wants():
    memory = Memory()
    assert memory.level() is None
    memory.of("a").level = "error"
    memory.of("b").level = "info"
    assert memory.level() == "info"
    memory.forget("b")
    assert memory.level() == "error"


def test_part_of_a_subscribed_resource_concerns_its_subscribers():
    memory = Memory()
    memory.of("a").uris.add("file:///docs/")
    memory.of("b").uris.add("file:///docs/x")

    assert list(memory.subscribers("file:///docs/y", ["a", "b", "c"])) == ["a"]
    assert list(memory.subscribers("file:///docs/x", ["b", "a"])) == ["b", "a"]


def test_others_keep_a_subscription_alive():
    memory = Memory()
    memory.of("a").uris.add("u")

    assert not memory.subscribed("u", except_for="a")
    assert memory.subscribed("u", except_for="b")


def test_memory_is_bounded_and_forgets_the_oldest():
    memory = Memory()
    for number in range(MAX_SESSIONS + 5):
        memory.of(str(number)).uris.add(str(number))

    assert len(memory.uris()) == MAX_SESSIONS
    assert "4" not in memory.uris()
    assert "5" in memory.uris()
