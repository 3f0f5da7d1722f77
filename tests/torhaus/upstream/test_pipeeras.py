"""How long it is believed that a server behind a pipe keeps no sessions."""

import asyncio

import pytest

from torhaus.upstream.pipeeras import Eras


def told(work):
    async def story():
        work()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("wanted", "unknown", "may_be", "is_so"),
    [("auto", True, True, False), ("legacy", False, False, False), ("modern", False, True, True)],
)
def test_what_is_configured_is_not_asked_for(wanted, unknown, may_be, is_so):
    def work():
        eras = Eras(wanted)

        assert (eras.unknown, eras.may_be_stateless, eras.stateless()) == (unknown, may_be, is_so)

    told(work)


def test_a_server_that_opened_a_session_is_known():
    def work():
        eras = Eras("auto")
        eras.known()

        assert (eras.unknown, eras.stateless()) == (False, False)

    told(work)


def test_that_it_keeps_none_is_believed_for_a_time():
    def work():
        kept, over = Eras("auto"), Eras("auto", lifetime=0.0)
        kept.found_stateless()
        over.found_stateless()

        assert (kept.stateless(), kept.unknown) == (True, False)
        assert (over.stateless(), over.unknown) == (False, True)

    told(work)
