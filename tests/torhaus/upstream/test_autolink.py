"""A link that finds out by itself what a URL speaks (checklist U1, U3)."""

import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, session, until
from tests.torhaus.upstream.servers.http_server import head, http_server, note, saying, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.servers.sse_server import sse_server
from tests.torhaus.upstream.webs import auto, call, town
from torhaus.model.ports import Ask, NoStream, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Era
from torhaus.upstream.tasklink import TaskLink

# What is found


async def opened(link):
    """The answer to somebody who begins a session."""
    ask = Ask(
        method="initialize",
        id=b"0",
        params=b'{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{}}',
        era=Era.LEGACY,
        principal="alice",
    )
    return await link.request(ask, Memo())


def test_those_who_come_at_once_with_sessions_ask_once():
    async def story():
        upstream = McpServer(eras=("legacy", "modern"))
        async with town(upstream) as (server, link):
            await call(link)

            await asyncio.gather(*(opened(link) for _ in range(5)))

            assert server.asked().count("initialize") == 1 + 5
            await opened(link)
            assert server.asked().count("initialize") == 1 + 6

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("eras", "modern", "legacy"),
    [
        (("legacy",), False, True),
        (("modern",), True, False),
        (("legacy", "modern"), True, True),
    ],
)
def test_the_eras_of_a_server_are_found(eras, modern, legacy, loop):
    async def story():
        upstream = McpServer(eras=eras)
        async with town(upstream) as (server, link):
            assert link.state() == "idle"
            assert await call(link) == "a"
            first = server.asked()
            await opened(link)

            facts = link._chosen.facts
            assert (facts.modern, facts.legacy) == (modern, legacy)
            assert first[0] == "server/discover"
            assert ("initialize" in first) is not modern  # who needs no session, opens none
            assert link.state() == "ready"

    run(story(), loop)


def test_the_session_that_asking_opened_is_ended():
    async def story():
        upstream = McpServer(eras=("legacy", "modern"), version="2025-03-26")
        async with town(upstream) as (server, link):
            await call(link)
            answer = await opened(link)

            assert upstream.sessions == {answer.session}
            gone = next(each for each in server.heard if each.method == "DELETE")
            assert gone.headers["mcp-protocol-version"] == "2025-03-26"

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_the_older_transport_is_found_by_its_endpoint(loop):
    async def story():
        async with sse_server() as old, auto(old.url) as link:
            assert await call(link) == "a"
            assert isinstance(link._chosen, TaskLink)
            assert link.state() == "ready"

    run(story(), loop)


def test_one_attempt_to_learn_serves_all_callers():
    async def story():
        async with town(McpServer(eras=("modern",))) as (server, link):
            answers = await asyncio.gather(*(call(link, str(n)) for n in range(20)))

            assert answers == [str(n) for n in range(20)]
            assert server.asked().count("server/discover") == 1

    run(story())


@pytest.mark.parametrize(
    ("act", "end"),
    [
        (lambda link: link.post(session(), "alice", b'{"jsonrpc":"2.0","id":1}'), UpstreamError),
        (lambda link: link.listen(session(), None, Memo()), NoStream),
    ],
)
def test_any_first_act_learns(act, end):
    async def story():
        async with town(McpServer()) as (server, link):
            with pytest.raises(end):
                await act(link)

            assert server.asked()[0] == "server/discover"

    run(story())


def test_ending_a_session_needs_no_learning():
    async def story():
        async with town(McpServer()) as (server, link):
            await link.close(session())

            assert server.heard == []

    run(story())


# What is configured


@pytest.mark.parametrize(
    ("era", "asked"), [("legacy", ["initialize"]), ("modern", ["server/discover"])]
)
def test_a_configured_era_is_the_only_one_asked_for(era, asked):
    async def story():
        upstream = McpServer(eras=("legacy", "modern"))
        async with town(upstream, era=era) as (server, link):
            assert await call(link) == "a"

            probes = [each for each in server.asked() if each in ("initialize", "server/discover")]
            assert probes[: len(asked)] == asked
            assert link._chosen.facts.modern is (era == "modern")

    run(story())


def test_a_configured_era_that_is_not_spoken_is_an_error_and_no_other_transport():
    async def story():
        async with town(McpServer(), era="modern") as (server, link):
            with pytest.raises(UpstreamError, match="does not speak 2026-07-28"):
                await call(link)

            assert all(each.method == "POST" for each in server.heard)

    run(story())


def test_transport_http_never_looks_for_the_older_one():
    async def story():
        async with town(saying(whole(b"", "404 No"), then="wait"), transport="http") as (
            server,
            link,
        ):
            with pytest.raises(UpstreamError, match="does not answer MCP over streamable HTTP"):
                await call(link)

            assert all(each.method == "POST" for each in server.heard)

    run(story())


def test_transport_sse_never_looks_for_the_newer_one():
    async def story():
        async with sse_server() as old, auto(old.url, transport="sse") as link:
            assert await call(link) == "a"

            assert old.heads[0].startswith("get /sse")

    run(story())


def test_a_ca_file_that_is_not_there_is_said():
    async def story():
        async with auto("https://127.0.0.1:1/", ca_file="/no/such/file.pem") as link:
            for transport in ("auto", "sse"):
                link._address = msgspec.structs.replace(link._address, transport=transport)
                with pytest.raises(UpstreamError, match="ca_file cannot be used: No such file"):
                    await call(link)

            assert "ca_file" in link.state()

    run(story())


# Trouble is no verdict


TROUBLE = [
    (whole(b"", "401 Unauthorized"), "refused the gateway's credential"),
    (whole(b"", "403 Forbidden"), "refused the gateway's credential"),
    (whole(b"", "429 Too Many Requests"), "overloaded"),
    (whole(b"", "500 Oops"), "HTTP 500"),
    (whole(b"", "502 Bad Gateway"), "HTTP 502"),
    (whole(b"", "503 Starting"), "overloaded"),
    (whole(b"", "302 Found", "location: /login"), "redirect"),
    (b"garbage\r\n\r\n", "does not speak HTTP/1.1 properly"),
    (b"", "closed the connection"),
    # A proxy whose server is not there yet, or a wrong path: no era and no other transport.
    (whole(b"404 page not found", "404 Not Found"), "neither over streamable HTTP nor over"),
    (whole(b"", "405 Method Not Allowed"), "neither over streamable HTTP nor over"),
    (whole(b"<html>app</html>", "200 OK", "content-type: text/html"), "did not answer with an MCP"),
]


@pytest.mark.parametrize(("answer", "sentence"), TROUBLE)
def test_trouble_is_told_and_forgotten(answer, sentence):
    upstream = McpServer(eras=("legacy", "modern"))
    broken = True

    async def script(wire):
        while True:
            heard = await wire.request()
            if broken:
                wire.say(answer)
                if not answer:
                    wire.close()
                    return
            else:
                await upstream.react(wire, heard)

    async def story():
        nonlocal broken
        async with town(script) as (_, link):
            for _ in range(2):
                with pytest.raises(UpstreamError, match=sentence):
                    await call(link)
                assert link.state().startswith("down: ")
                assert sentence in link.state()
            broken = False

            assert await call(link) == "a"
            assert link._chosen.facts.modern
            assert link.state() == "ready"

    run(story())


def test_a_server_that_comes_up_later_is_found_then():
    async def story():
        upstream = McpServer()
        async with http_server(upstream.script) as server:
            pass
        async with auto(server.url) as link:
            with pytest.raises(UpstreamError, match="Connection refused"):
                await call(link)
            async with http_server(upstream.script, port=server.port):
                assert await call(link) == "a"

    run(story())


def test_silence_is_no_verdict():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story():
        async with town(script, timeout=0.3) as (_, link):
            with pytest.raises(UpstreamError, match="did not answer within"):
                await call(link)

            assert link._chosen is None

    run(story())


def test_failed_attempts_leave_no_connections_behind():
    async def story():
        async with town(saying(whole(b"", "401 No"), then="wait")) as (server, link):
            for _ in range(5):
                with pytest.raises(UpstreamError):
                    await call(link)

            assert len(server.wires) == 1

    run(story())


def test_a_caller_that_hangs_up_does_not_stop_the_learning():
    gate = asyncio.Event()
    upstream = McpServer(eras=("modern",))

    async def script(wire):
        while True:
            heard = await wire.request()
            await gate.wait()
            await upstream.react(wire, heard)

    async def story():
        async with town(script) as (server, link):
            first, second = [asyncio.create_task(call(link, name)) for name in "ab"]
            await until(lambda: server.heard)
            first.cancel()
            await asyncio.wait([first])
            gate.set()

            assert await second == "b"

    run(story())


# The end


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("silent", ["POST", "GET"])
def test_shutting_down_while_learning_leaves_nothing(silent, loop):
    async def script(wire):
        while True:
            heard = await wire.request()
            if heard.method == silent:
                await wire.gone()
                return
            wire.say(head("404 Not Found", "content-length: 0"))

    async def story():
        async with town(script) as (server, link):
            caller = asyncio.create_task(call(link))
            await until(lambda: server.heard and server.heard[-1].method == silent)
            await link.shutdown()

            await asyncio.wait([caller])
            with pytest.raises(UpstreamError, match="shutting down"):
                await call(link)
            await until(lambda: all(task.done() for task in server.tasks))

    run(story(), loop)


def test_the_credential_is_in_every_probe():
    async def story():
        headers = (("X-Api-Key", Secret("s3cret")),)
        async with town(saying(whole(b"", "404 No"), then="wait"), headers=headers) as (
            server,
            link,
        ):
            with pytest.raises(UpstreamError) as caught:
                await call(link)

            assert [each.method for each in server.heard] == ["POST", "POST", "GET"]
            assert {each.headers["x-api-key"] for each in server.heard} == {"s3cret"}
            assert "s3cret" not in str(caught.value) + link.state()

    run(story())


def test_a_notification_to_a_stateless_server_goes_nowhere():
    async def story():
        async with town(McpServer(eras=("modern",))) as (server, link):
            await link.post(session(), "alice", note("n"))

            assert "n" not in server.asked()

    run(story())
