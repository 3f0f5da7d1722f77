"""Calls that are recognised end as those that are read: same answer, same record, same counts."""

import asyncio

import pytest

from tests.torhaus.cast import ALICE, BOB, run
from tests.torhaus.edge.doors import ENVELOPE, said
from tests.torhaus.edge.twins import body, known, twins
from torhaus.model.caching import CacheRule, Scope


def test_the_third_answer_from_the_cache_needs_no_reading() -> None:
    async def story() -> None:
        async with twins() as both:
            taken = []
            for number in range(6):
                answer = await both.ask(body(number))
                assert said(answer)["id"] == number
                taken.append(both.taken)

            assert taken == [0, 0, 0, 1, 2, 3]

    run(story())


@pytest.mark.parametrize("id", [0, 7, 999999999999999, "a-1", "7", "x" * 64])
def test_every_answer_bears_the_id_of_its_own_request(id: object) -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)

            answer = await both.ask(body(id))

            assert said(answer)["id"] == id
            assert both.taken == before + 1

    run(story())


@pytest.mark.parametrize(
    "id", [-1, 10**15, 1.5, None, True, [1], "", "a b", 'a"b', "ä", "x" * 65, "x" * 2000]
)
def test_other_ids_are_read(id: object) -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)

            await both.ask(body(id))

            assert both.taken == before

    run(story())


def test_sessions_of_one_caller_share_what_is_known() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            both.forget_callers()

            await both.ask(body())

            assert both.taken == before + 1

    run(story())


def test_another_caller_is_judged_by_himself() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)

            await both.ask(body(), by="bob")

            assert both.taken == before
            assert {each.user.email for each in both.houses[0].world.ledger.noted} == {
                ALICE.email,
                BOB.email,
            }

    run(story())


def test_answers_of_one_user_reach_no_other() -> None:
    async def story() -> None:
        async with twins(CacheRule(ttl=60.0, scope=Scope.USER)) as both:
            await known(both)
            await known(both, by="bob")

            assert both.taken == 2
            asked = both.houses[0].world.upstream.calls()
            assert sum(each.method == "tools/call" for each in asked) == 2

    run(story())


# -- what is nearly the same ----------------------------------------------------------------------

SAME = body(7)
OTHERS = [
    SAME.replace(b"api", b"apj"),
    SAME.replace(b"api", b"ap\\u0069"),
    SAME.replace(b'"repo"', b'"repo":"x","repo"'),
    SAME.replace(b'"repo"', b'"Repo":"x","repo"'),
    SAME.replace(b'"name"', b'"name":"create_issue","name"'),
    SAME.replace(b'"name":"list_issues",', b"").replace(
        b'"repo":"api"}', b'"repo":"api"},"name":"list_issues"'
    ),
    SAME.replace(b"list_issues", b"create_issue"),
    SAME.replace(b'"params"', b'"params" '),
    SAME.replace(b"2.0", b"2.1"),
    SAME.replace(b'"id":7', b'"id":7,"id":8'),
    SAME.replace(b'"id":7', b'"id":07'),
    SAME.replace(b'"id":7', b'"id":\0'),
    SAME[:-1] + b',"id":9}',
    SAME[:-1] + b',"result":{}}',
    SAME[:-1] + b',"more":1}',
    SAME[:-1],
    SAME + b"}",
    SAME + b" ",
    SAME + SAME,
    b"[" + SAME + b"]",
    b"\xef\xbb\xbf" + SAME,
    SAME.replace(b"api", b"ap\xff"),
    SAME.replace(b"api", b"ap\0"),
    SAME.replace(b"api", b"[" * 200),
    SAME.replace(b'{"repo":"api"}', b"[" * 200 + b"]" * 200),
    body(7, requestState="x"),
    body(7, inputResponses={}),
    body(7, task={}),
    body(7, Arguments={"repo": "x"}),
    body(7, _meta={}),
    body(7, _meta=ENVELOPE),
    body(7, _meta={"progressToken": 5}),
    body(7, {"repo": "api", "progressToken": 5}),
    SAME.replace(b"tools/call", b"prompts/get"),
    SAME.replace(b'"id":7,', b""),
]


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_nearly_the_same_is_read(other: bytes) -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)

            await both.ask(other)

            assert both.taken == before
            await both.ask(SAME)
            assert both.taken == before + 1

    run(story())


def test_progress_tokens_make_no_other_call_and_arguments_of_that_name_do() -> None:
    async def story() -> None:
        async with twins() as both:
            for number in range(5):
                await both.ask(body(number, _meta={"progressToken": number}))
            assert both.taken == 2

            for number in range(5):
                answer = await both.ask(body(number, {"progressToken": number}))
                assert f'"progressToken": {number}' in said(answer)["result"]["content"][0]["text"]
            assert both.taken == 2

    run(story())


def test_requests_that_come_together_are_answered_in_order() -> None:
    async def story() -> None:
        async with twins() as both:
            await known(both)
            for house in both.houses:
                caller = await house.connect()
                await caller.begin()
                for number in range(5):
                    caller.send(body(number))
                answers = [await caller.client.answer() for _ in range(5)]
                assert [said(each)["id"] for each in answers] == [0, 1, 2, 3, 4]
            both.alike()

    run(story())


def test_a_body_that_comes_in_pieces_is_the_same_call() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            for house in both.houses:
                caller = await house.connect()
                await caller.begin()
                text = body(9)
                length = {"content-length": str(len(text))}
                caller.send(text[:30], length)
                await asyncio.sleep(0.02)
                caller.client.send(text[30:])
                assert said(await caller.client.answer())["id"] == 9
            both.alike()

            assert both.taken == before + 1

    run(story())
