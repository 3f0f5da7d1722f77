"""The replayed day is the same every time, and a wrong answer in it is noticed."""

import asyncio

import msgspec
import pytest
from scripts.replay import VARIANTS, Replay, WrongAnswerError, replayed
from scripts.workday import Question, Team, Workday

SMALL = Team(developers=2, agents=1, repositories=2, issues=3, pause=2400.0)
PLAIN, _, NARROW, *_ = VARIANTS
REPO = {"owner": "myorg", "repo": "repo1"}


def asked(at: float, tool: str) -> Question:
    return Question(at, 0, "github", tool, REPO)


def play(replay: Replay, *questions: Question) -> Replay:
    asyncio.run(replay.play(questions))
    return replay


def test_a_seed_is_one_day() -> None:
    day = Workday(SMALL, 1).questions()

    assert day == Workday(SMALL, 1).questions() != Workday(SMALL, 2).questions()
    assert [each.at for each in day] == sorted(each.at for each in day)
    assert {each.who for each in day} == {0, 1}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: each.name)
def test_a_day_saves_calls(variant) -> None:  # type: ignore[no-untyped-def]
    replay = replayed(SMALL, variant, 1)

    assert replay.asked.total() > 50
    assert 0 < replay.saved() < 1


def test_a_question_is_asked_again_after_its_time_and_after_a_write() -> None:
    lists = [asked(at, "list_issues") for at in (0.0, 299.0, 300.0, 302.0)]

    replay = play(Replay(SMALL, PLAIN), *lists[:3], asked(301.0, "create_issue"), lists[3])

    assert replay.fetched["github", "list_issues"] == 3


def test_an_answer_from_before_a_write_is_noticed() -> None:
    replay = Replay(SMALL, PLAIN)
    github = replay.servers["github"]
    forgetful = msgspec.structs.replace(github.caching, triggers={})
    replay.servers["github"] = msgspec.structs.replace(github, caching=forgetful)
    lists = [asked(at, "list_issues") for at in (0.0, 2.0)]

    with pytest.raises(WrongAnswerError, match="before a write"):
        play(replay, lists[0], asked(1.0, "create_issue"), lists[1])


def test_an_answer_that_is_too_old_is_noticed() -> None:
    replay = Replay(SMALL, PLAIN)
    caching = replay.servers["github"].caching
    longer = {n: msgspec.structs.replace(r, ttl=9999.0) for n, r in caching.tools.items()}
    caching = msgspec.structs.replace(caching, tools=longer)
    replay.servers["github"] = msgspec.structs.replace(replay.servers["github"], caching=caching)

    with pytest.raises(WrongAnswerError, match="300 seconds old"):
        play(replay, asked(0.0, "list_issues"), asked(300.0, "list_issues"))


def test_a_narrow_write_leaves_other_repositories_alone() -> None:
    other = Question(0.0, 0, "github", "list_issues", {"owner": "myorg", "repo": "repo2"})
    write = asked(1.0, "create_issue")
    again = Question(2.0, 1, "github", "list_issues", other.arguments)

    fetched = [
        play(Replay(SMALL, variant), other, write, again).fetched["github", "list_issues"]
        for variant in (PLAIN, NARROW)
    ]

    assert fetched == [2, 1]
