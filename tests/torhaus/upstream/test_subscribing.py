"""Subscriptions that several listeners share."""

import asyncio

from tests.torhaus.upstream.pipes import run
from torhaus.model.ports import UpstreamError
from torhaus.upstream.subscribing import Deaf, Subscribing, ours, wish

A, AB = frozenset("a"), frozenset("ab")


class Told:
    """A server that notes what it is told, and answers when it is let to."""

    def __init__(self, *, open=True):
        self.told = []
        self.gate = asyncio.Event()
        if open:
            self.gate.set()

    async def tell(self, method, uri):
        await self.gate.wait()
        self.told.append((method.removeprefix("resources/"), uri))
        if uri == "down":
            raise UpstreamError("it is down")
        return uri != "no"


def test_the_first_subscribes_and_the_last_unsubscribes():
    async def story():
        server = Told()
        all_of = Subscribing(server.tell)

        assert await all_of.join(AB) == AB
        assert await all_of.join(A) == A
        all_of.leave(AB)
        await all_of.left()
        all_of.leave(A)
        await all_of.left()

        assert sorted(server.told[:2]) == [("subscribe", "a"), ("subscribe", "b")]
        assert server.told[2:] == [("unsubscribe", "b"), ("unsubscribe", "a")]
        assert len(all_of) == 0

    run(story())


def test_what_the_server_refuses_is_not_promised_and_need_not_be_left():
    async def story():
        server = Told()
        all_of = Subscribing(server.tell)

        assert await all_of.join(frozenset(("no", "down", "a"))) == A
        await all_of.left()

        assert len(all_of) == 1
        assert not [each for each in server.told if each[0] == "unsubscribe"]

    run(story())


def test_the_server_hears_wishes_in_their_order():
    async def story():
        server = Told(open=False)
        all_of = Subscribing(server.tell)
        joining = asyncio.create_task(all_of.join(A))
        await asyncio.sleep(0)
        joining.cancel()
        await asyncio.wait([joining])
        again = asyncio.create_task(all_of.join(A))
        await asyncio.sleep(0)
        server.gate.set()

        assert await again == A
        assert server.told == [("subscribe", "a"), ("unsubscribe", "a"), ("subscribe", "a")]

    run(story())


def test_an_end_stops_what_is_under_way():
    async def story():
        server = Told(open=False)
        all_of = Subscribing(server.tell)
        joining = asyncio.create_task(all_of.join(A))
        await asyncio.sleep(0)

        await all_of.end()

        await asyncio.wait([joining])
        assert joining.cancelled()
        assert server.told == []
        await all_of.left()

    run(story())


def test_a_wish_is_a_request_in_its_session():
    session = ours()
    asked = wish("resources/subscribe", "x://a", session, b"1")

    Deaf().opened()
    assert (asked.params, asked.session, asked.id) == (b'{"uri":"x://a"}', session, b"1")
