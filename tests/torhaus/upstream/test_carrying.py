"""Exchanges that carry proofs of possession: one for each request, and the server's nonce."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, said, tool
from tests.torhaus.upstream.proofs import Bound, headers, opened, prover
from tests.torhaus.upstream.servers.http_server import (
    HttpServer,
    Wire,
    http_server,
    result,
    whole,
)
from tests.torhaus.upstream.webs import LEGACY, MODERN, begun, configured, numbers
from torhaus.model.ports import UpstreamError
from torhaus.upstream.again import NONCES
from torhaus.upstream.carrying import proved
from torhaus.upstream.facts import Facts
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.httplink import HttpLink

Story = Callable[[HttpServer, HttpLink], Awaitable[None]]


def bound(upstream: Bound, story: Story, facts: Facts = MODERN) -> None:
    async def play() -> None:
        async with http_server(upstream.script) as server:
            upstream.url = server.url
            await carried(server, facts, story)
        assert upstream.wrong == []

    run(play())


async def carried(server: HttpServer, facts: Facts, story: Story) -> None:
    wanted = configured(f"{server.url}?tenant=7", headers=headers())
    address = msgspec.structs.replace(wanted.address, prover=prover())
    link = HttpLink(wanted, address, numbers())
    link.facts = facts
    try:
        await story(server, link)
    finally:
        await link.shutdown()


def test_every_request_has_a_proof_of_its_own_for_its_method_and_place() -> None:
    async def story(server: HttpServer, link: HttpLink) -> None:
        front = await begun(link)
        await asyncio.gather(*(link.request(tool(str(n), session=front), Memo()) for n in range(9)))
        await link.close(front)

        methods = [opened(each.headers["dpop"])[1]["htm"] for each in server.heard]
        assert methods.count("POST") == 10
        assert methods[-1] == "DELETE"

    bound(Bound(), story, LEGACY)


def test_a_call_goes_once_more_with_the_nonce_that_the_server_wants() -> None:
    upstream = Bound(eras=("modern",), nonces=["n-1"])

    async def story(server: HttpServer, link: HttpLink) -> None:
        assert said(await link.request(tool("first"), Memo())) == "first"
        assert said(await link.request(tool("second"), Memo())) == "second"

        assert upstream.refused == 1
        assert [each.asked for each in server.heard] == ["tools/call"] * 3

    bound(upstream, story)


def test_many_calls_at_once_all_get_through() -> None:
    upstream = Bound(eras=("modern",), nonces=["n-1"])

    async def story(_server: HttpServer, link: HttpLink) -> None:
        answers = await asyncio.gather(*(link.request(tool(str(n)), Memo()) for n in range(20)))

        assert [said(each) for each in answers] == [str(n) for n in range(20)]

    bound(upstream, story)


def test_a_nonce_that_comes_with_an_answer_is_used_next() -> None:
    async def script(wire: Wire) -> None:
        for number in (1, 2):
            heard = await wire.request()
            body = result(heard.message["id"], {"content": [{"type": "text", "text": "x"}]})
            wire.say(whole(body, "200 OK", f"dpop-nonce: n-{number}"))

    async def story(server: HttpServer, link: HttpLink) -> None:
        for _ in range(2):
            await link.request(tool("a"), Memo())

        first, second = (opened(each.headers["dpop"])[1] for each in server.heard)
        assert ("nonce" in first, second["nonce"]) == (False, "n-1")

    async def play() -> None:
        async with http_server(script) as server:
            await carried(server, MODERN, story)

    run(play())


def test_a_server_that_wants_one_nonce_after_another_gets_a_few_tries() -> None:
    upstream = Bound(eras=("modern",), nonces=["n-0"])

    async def story(server: HttpServer, link: HttpLink) -> None:
        told = upstream.amiss

        def moody(heard):
            told(heard)
            upstream.nonces[0] = f"n-{len(server.heard)}"
            return "use_dpop_nonce"

        upstream.amiss = moody  # type: ignore[method-assign]
        with pytest.raises(DeniedError, match="401") as failed:
            await link.request(tool("a"), Memo())

        assert failed.value.outright
        assert len(server.heard) == 1 + NONCES

    bound(upstream, story)


def test_a_stream_is_opened_again_with_the_nonce() -> None:
    upstream = Bound(nonces=["n-1"], stream=None)

    async def story(server: HttpServer, link: HttpLink) -> None:
        front = await begun(link)
        upstream.nonces[:] = ["n-2"]
        with pytest.raises(UpstreamError):  # it has none
            await link.listen(front, None, Memo())

        gets = [each for each in server.heard if each.method == "GET"]
        assert [opened(each.headers["dpop"])[1]["nonce"] for each in gets] == ["n-1", "n-2"]

    bound(upstream, story, LEGACY)


def test_what_is_sent_again_on_a_new_connection_has_a_new_proof() -> None:
    """A server that has seen the first one may refuse it."""
    upstream = Bound(eras=("modern",))
    closing: list[bool] = []

    async def script(wire: Wire) -> None:
        while True:
            heard = await wire.request()
            if closing and closing.pop():
                wire.close()
                return
            await upstream.react(wire, heard)

    async def story(server: HttpServer, link: HttpLink) -> None:
        await link.request(ask("tools/list"), Memo())
        closing.append(True)
        await link.request(ask("tools/list"), Memo())

        ids = [opened(each.headers["dpop"])[1]["jti"] for each in server.heard]
        assert len(ids) == len(set(ids)) == 3

    async def play() -> None:
        async with http_server(script) as server:
            upstream.url = server.url
            await carried(server, MODERN, story)
        assert upstream.wrong == []

    run(play())


def test_another_token_brings_its_own_proofs() -> None:
    upstream = Bound(eras=("modern",))

    async def story(_server: HttpServer, link: HttpLink) -> None:
        await link.request(tool("a"), Memo())
        upstream.token = "token-2"
        wanted = configured(_server.url, headers=headers("token-2"))
        address = msgspec.structs.replace(wanted.address, prover=prover("token-2"))
        upstream.ids.clear()
        link.show(wanted, address)

        assert said(await link.request(tool("b"), Memo())) == "b"

    bound(upstream, story)


def test_a_proof_stands_in_the_head_and_changes_nothing_else() -> None:
    data = b"POST /mcp?a HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\n{}"

    found = proved(prover(), "https://a.example/mcp", data)

    first, line, rest = found.split(b"\r\n", 2)
    assert first + b"\r\n" + rest == data
    assert line.startswith(b"dpop: ")
    assert opened(line[6:].decode())[1]["htm"] == "POST"
