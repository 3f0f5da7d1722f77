"""Who may get whose answer: every way in which two questions are not quite the same one."""

import json
from collections.abc import Iterator

import pytest

from tests.stories.caller import Answer
from tests.stories.keeping import TRICKS, asked, configuration, hit, unasked
from tests.stories.town import Town
from tests.stories.upstream import Upstream
from tests.torhaus.redact.samples import MAIL

NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with Upstream(tricks=dict(TRICKS)) as running:
        yield running


@pytest.fixture(scope="module")
def town(far: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(configuration(far), tmp_path_factory.mktemp("safety")) as running:
        yield running


@pytest.fixture
def page() -> object:
    return unasked()


# -- two questions ------------------------------------------------------------------------------

Question = tuple[str, str, str]
"""Who asks, at which server, for which tool."""

ALIKE: dict[str, tuple[Question, Question]] = {
    "the same person again": (("ALICE", "one", "get_note"), ("ALICE", "one", "get_note")),
    "another with the same rights": (("ALICE", "one", "get_note"), ("BOB", "one", "get_note")),
    "somebody with his own answers, again": (("BOB", "one", "get_own"), ("BOB", "one", "get_own")),
    "the same role": (("BOB", "one", "get_by_role"), ("BOB", "one", "get_by_role")),
    "somebody who is masked, again": (("CAROL", "one", "get_note"), ("CAROL", "one", "get_note")),
}

APART: dict[str, tuple[Question, Question]] = {
    "another server at the same address": (
        ("ALICE", "one", "get_note"),
        ("ALICE", "twin", "get_note"),
    ),
    "another credential": (("ALICE", "one", "get_note"), ("ALICE", "token", "get_note")),
    "another environment": (
        ("ALICE", "staging", "get_note"),
        ("ALICE", "production", "get_note"),
    ),
    "a tool with answers for each user": (("ALICE", "one", "get_own"), ("BOB", "one", "get_own")),
    "another role, where roles count": (
        ("ALICE", "one", "get_by_role"),
        ("BOB", "one", "get_by_role"),
    ),
    "somebody who is masked": (("ALICE", "one", "get_note"), ("CAROL", "one", "get_note")),
    "somebody who is not masked": (("CAROL", "one", "get_note"), ("ALICE", "one", "get_note")),
    "an answer that is private": (("ALICE", "one", "get_private"), ("BOB", "one", "get_private")),
    "one's own private answer": (("ALICE", "one", "get_private"), ("ALICE", "one", "get_private")),
    "an answer that is old already": (("ALICE", "one", "get_gone"), ("ALICE", "one", "get_gone")),
    "an answer that says it failed": (
        ("ALICE", "one", "get_tool_error"),
        ("ALICE", "one", "get_tool_error"),
    ),
    "an error": (("ALICE", "one", "get_error"), ("ALICE", "one", "get_error")),
    "a question back": (("ALICE", "one", "get_asked"), ("BOB", "one", "get_asked")),
    "a task": (("ALICE", "one", "get_task"), ("BOB", "one", "get_task")),
    "an answer that is too long": (("ALICE", "one", "get_long"), ("ALICE", "one", "get_long")),
}


@pytest.mark.parametrize(("first", "second"), ALIKE.values(), ids=ALIKE)
def test_these_share_an_answer(
    first: Question, second: Question, town: Town, far: Upstream, page: object
) -> None:
    before = len(far.calls(first[2]))

    one, two = (asked(town, *question, page) for question in (first, second))

    assert len(far.calls(first[2])) == before + 1
    assert (hit(one), hit(two)) == (False, True)
    assert two.text == one.text


@pytest.mark.parametrize(("first", "second"), APART.values(), ids=APART)
def test_these_do_not(
    first: Question, second: Question, town: Town, far: Upstream, page: object
) -> None:
    before = len(far.calls(first[2]))

    one, two = (asked(town, *question, page) for question in (first, second))

    assert len(far.calls(first[2])) == before + 2
    assert one.message != two.message
    if "result" in one.message and "result" in two.message:
        assert (hit(one), hit(two)) == (False, False)


def test_who_may_not_ask_gets_nothing_although_it_is_there(
    town: Town, far: Upstream, page: object
) -> None:
    asked(town, "ALICE", "one", "get_note", page)
    before = len(far.seen)

    refused = asked(town, "MALLORY", "one", "get_note", page)

    assert refused.message["result"]["isError"] is True
    assert "answer" not in refused.text
    assert len(far.seen) == before


def test_a_stranger_gets_nothing_although_it_is_there(
    town: Town, far: Upstream, page: object
) -> None:
    asked(town, "ALICE", "one", "get_note", page)

    with town.caller(None, server="one") as stranger:
        assert stranger.tool("get_note", page).status == 401


@pytest.mark.parametrize("order", [("ALICE", "CAROL"), ("CAROL", "ALICE")], ids=" then ".join)
def test_each_gets_the_text_that_is_meant_for_them(
    order: tuple[str, str], town: Town, page: object
) -> None:

    for _ in range(2):
        said = {who: asked(town, who, "one", "get_note", page) for who in order}
        assert MAIL in said["ALICE"].text
        assert MAIL not in said["CAROL"].body.decode()

    assert hit(said["ALICE"])
    assert hit(said["CAROL"])


# -- nearly the same arguments ------------------------------------------------------------------

NEAR: dict[str, object] = {
    "1": {"n": 1},
    "1.0": {"n": 1.0},
    "text 1": {"n": "1"},
    "true": {"n": True},
    "text true": {"n": "true"},
    "a list of 1": {"n": [1]},
    "null": {"n": None},
    "text null": {"n": "null"},
    "nothing": {},
    "an empty text": {"n": ""},
    "an empty list": {"n": []},
    "an empty object": {"n": {}},
    "false": {"n": False},
    "0": {"n": 0},
    "1 and a null": {"n": 1, "m": None},
    "another name": {"N": 1},
    "a name with a blank": {"n ": 1},
    "a text with a blank": {"n": "1 "},
    "composed": {"n": NFC},
    "decomposed": {"n": NFD},
    "composed name": {NFC: 1},
    "decomposed name": {NFD: 1},
    "one case": {"n": "stra\u00dfe"},
    "its fold": {"n": "strasse"},
    "full width": {"n": "\uff11"},
    "a large number": {"n": 2**53},
    "one more": {"n": 2**53 + 1},
    "nested": {"n": {"a": 1, "b": 2}},
    "nested elsewhere": {"n": {"a": {"b": 2}}},
    "what looks like the key": {"n": '1,"m":null'},
    "a zero byte": {"n": "1\u0000"},
}


def test_nearly_the_same_arguments_are_others(town: Town, far: Upstream) -> None:
    before = len(far.calls("get_note"))

    answers = {name: asked(town, "ALICE", "one", "get_note", each) for name, each in NEAR.items()}

    assert len(far.calls("get_note")) == before + len(NEAR)
    assert len({answer.text for answer in answers.values()}) == len(NEAR)
    again = {name: asked(town, "BOB", "one", "get_note", each) for name, each in NEAR.items()}
    assert {name: each.text for name, each in again.items()} == {
        name: each.text for name, each in answers.items()
    }
    assert all(hit(each) for each in again.values())


SAME: dict[str, tuple[str, str]] = {
    "another order of keys": ('{"a":1,"b":[2,3],"k":%d}', '{"k":%d,"b":[2,3],"a":1}'),
    "another order within": ('{"a":{"x":1,"y":2},"k":%d}', '{"a":{"y":2,"x":1},"k":%d}'),
    "blanks": ('{"a":1,"k":%d}', '{ "a" : 1 ,\n "k":%d }'),
    "an escaped letter": ('{"a":"x","k":%d}', '{"a":"\\u0078","k":%d}'),
    "another spelling of a number": ('{"a":1.5,"k":%d}', '{"a":15e-1,"k":%d}'),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_arguments_otherwise_written_are_the_same(
    one: str, other: str, town: Town, far: Upstream
) -> None:
    number, before = unasked()["page"], len(far.calls("get_note"))

    answers = [_raw(town, text % number) for text in (one, other)]

    assert len(far.calls("get_note")) == before + 1
    assert [hit(each) for each in answers] == [False, True]


def _raw(town: Town, arguments: str) -> Answer:
    """A call whose arguments are this text."""
    with town.caller("ALICE", server="one") as caller:
        body, headers = caller.call("get_note", "ARGUMENTS")
        return caller.ask(json.dumps(body).replace('"ARGUMENTS"', arguments).encode(), headers)


def test_a_name_that_comes_twice_reaches_nobody(town: Town, far: Upstream) -> None:
    before = len(far.seen)

    answer = _raw(town, '{"repo":"mine","repo":"theirs"}')

    assert answer.status == 400
    assert len(far.seen) == before
