"""One link per configured server, over reloads and to the end."""

import asyncio
import contextlib

import msgspec
import pytest

from tests.torhaus.cast import keeping
from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, address, run, said, session, tool, until
from tests.torhaus.upstream.servers.http_server import (
    STREAM,
    chunk,
    event,
    http_server,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.servers.sse_server import sse_server
from tests.torhaus.upstream.webs import call, configured, numbers
from torhaus.model.health import UNUSED
from torhaus.model.ports import UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Server, Sharing
from torhaus.upstream.links import Links


@contextlib.asynccontextmanager
async def linking(**more):
    links = Links(numbers(), **more)
    try:
        yield links
    finally:
        await links.shutdown()


def keyed(url, key, **more):
    return configured(url, headers=(("x-api-key", Secret(key)),), **more)


def changed(server, **more):
    return msgspec.structs.replace(server, **more)


URL = "http://127.0.0.1:9/mcp"


# The same link


def test_a_server_has_the_same_link_every_time():
    async def story():
        async with linking() as links:
            server = keyed(URL, "one")

            assert links.link(server) is links.link(server)

    run(story())


def test_a_reload_that_changes_nothing_about_the_way_keeps_the_link():
    async def story():
        async with linking() as links:
            first = links.link(keyed(URL, "one"))
            again = keyed(URL, "one", caching=keeping(5.0), environment="production")

            assert links.retain([again]) == []
            assert links.link(again) is first
            assert not links._retiring

    run(story())


@pytest.mark.parametrize(
    "other",
    [
        keyed(URL, "two"),
        keyed(URL.replace("/mcp", "/other"), "one"),
        keyed(URL, "one", timeout=9.0),
        keyed(URL, "one", connect_timeout=9.0),
        keyed(URL, "one", era="legacy"),
        keyed(URL, "one", transport="sse"),
        keyed(URL, "one", ca_file="/x"),
        keyed(URL, "one", sharing=Sharing.SHARED),
        Server(name="web", address=address()),
    ],
)
def test_whatever_changes_the_way_makes_a_new_link(other):
    async def story():
        async with linking() as links:
            first = links.link(keyed(URL, "one"))

            assert links.retain([other]) == ["web"]
            assert links.link(other) is not first
            assert list(links._retiring.values()) == [first]

    run(story())


def test_two_servers_with_one_address_have_two_links():
    async def story():
        async with linking() as links:
            one, two = configured(URL), configured(URL, name="other")

            assert links.link(one) is not links.link(two)

    run(story())


# What began before a reload


def test_a_former_server_gets_the_present_link_and_never_its_old_credential_back():
    async def story():
        upstream = McpServer(eras=("modern",))
        async with http_server(upstream.script) as server, linking() as links:
            old, new = keyed(server.url, "old"), keyed(server.url, "new")
            await call(links.link(old))
            links.retain([new])
            before = len(server.heard)

            assert links.link(old) is links.link(new) is links.link(old)
            await call(links.link(old))
            assert {each.headers["x-api-key"] for each in server.heard[before:]} == {"new"}
            assert len(links._retiring) == 1

    run(story())


def test_a_server_that_is_no_longer_configured_cannot_be_reached():
    async def story():
        async with linking() as links:
            server = keyed(URL, "one")
            links.link(server)

            assert links.retain([]) == ["web"]
            with pytest.raises(UpstreamError, match="it is no longer configured"):
                links.link(server)
            assert links.state(server) == "idle"

    run(story())


def test_a_server_that_comes_back_has_a_new_link():
    async def story():
        async with linking() as links:
            server = keyed(URL, "one")
            first = links.link(server)
            links.retain([])
            links.retain([server])

            assert links.link(server) is not first

    run(story())


def test_calls_under_way_finish_on_the_former_link():
    gate = asyncio.Event()

    async def slow(wire, heard):
        await gate.wait()
        wire.say(whole(result(heard.message["id"], {"content": [{"text": "done"}]})))

    async def story():
        upstream = McpServer(eras=("modern",), tool=slow)
        async with http_server(upstream.script) as server, linking() as links:
            old, new = keyed(server.url, "old"), keyed(server.url, "new")
            task = asyncio.create_task(call(links.link(old)))
            await until(lambda: "tools/call" in server.asked())
            links.retain([new])
            links.link(new)
            gate.set()

            assert await task == "done"

    run(story())


def test_after_its_time_a_former_link_is_closed_with_all_that_hangs_on_it():
    async def stream(wire, heard):
        wire.say(STREAM, chunk(event(note("n"))))
        await wire.gone()

    async def story():
        upstream = McpServer(stream=stream)
        async with http_server(upstream.script) as server, linking(grace=0.2) as links:
            front, memo = session(), Memo()
            front.upstream_id = "s-0"
            upstream.sessions.add("s-0")
            listen = asyncio.create_task(
                links.link(keyed(server.url, "x")).listen(front, None, memo)
            )
            await until(lambda: memo.notices)
            links.retain([])
            await asyncio.sleep(0.05)
            assert not listen.done()

            with pytest.raises(UpstreamError, match="shutting down"):
                await listen
            await until(lambda: not links._retiring)
            await until(lambda: all(task.done() for task in server.tasks))

    run(story())


# Transports


def test_every_kind_of_address_leads_somewhere():
    async def story():
        upstream = McpServer(eras=("modern",))
        async with (
            http_server(upstream.script) as new,
            sse_server() as old,
            linking() as links,
        ):
            servers = [
                configured(new.url, name="http"),
                configured(old.url, name="sse", transport="sse"),
                Server(name="stdio", address=address()),
            ]
            assert [links.state(each) for each in servers] == ["idle"] * 3
            fronts = [links.link(each) for each in servers]
            assert [await call(link) for link in fronts[:2]] == ["a", "a"]
            answer = await fronts[2].request(tool("echo", {"text": "a"}), Memo())
            assert answer.result is not None

            assert [links.state(each) for each in servers] == ["ready"] * 3

    run(story())


def test_a_server_that_fails_says_why_in_its_state():
    async def story():
        async with http_server(McpServer().script) as server:
            pass
        async with linking() as links:
            down = configured(server.url)
            with pytest.raises(UpstreamError):
                await call(links.link(down))

            assert links.state(down).startswith("failing: no connection to 127.0.0.1")

    run(story())


def test_what_it_says_of_an_error_is_masked():
    async def story():
        async with http_server(McpServer().script) as server:
            pass
        async with linking(mask=lambda text: text.replace("127.0.0.1", "***")) as links:
            down = configured(server.url)
            links.retain([down])
            with pytest.raises(UpstreamError):
                await call(links.link(down))

            assert links.healths()["web"].error.startswith("no connection to ***:")
            assert links.health(configured(URL, name="other")) == UNUSED

    run(story())


# The end


class Broken:
    def retire(self):
        pass

    async def shutdown(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("loop", LOOPS)
def test_shutting_down_closes_present_and_former_links_at_once(loop):
    async def story():
        upstream = McpServer()
        async with http_server(upstream.script) as server, linking() as links:
            old, new = keyed(server.url, "old"), keyed(server.url, "new")
            await call(links.link(old))
            links.retain([new])
            await call(links.link(new))
            links.retain([])
            await links.shutdown()  # in the same turn of the loop: nothing has begun to retire

            assert sorted(upstream.ended) == ["s-1", "s-2", "s-3", "s-4"]
            assert upstream.sessions == set()
            await until(lambda: all(task.done() for task in server.tasks))
            for each in (old, new):
                with pytest.raises(UpstreamError, match="shutting down"):
                    links.link(each)

    run(story(), loop)


def test_a_link_that_cannot_close_does_not_keep_the_others_open():
    async def story():
        upstream = McpServer()
        async with http_server(upstream.script) as server, linking() as links:
            good = configured(server.url)
            await call(links.link(good))
            links._links["broken"] = (configured(URL, name="broken"), Broken())
            links._retire(Broken())
            await links.shutdown()

            assert upstream.sessions == set()

    run(story())


def test_a_former_link_that_cannot_close_is_no_loose_end(caplog):
    async def story():
        async with linking(grace=0.0) as links:
            links._retire(Broken())
            await until(lambda: not links._retiring)

    run(story())
    assert "never retrieved" not in caplog.text


def test_a_session_outlives_a_change_of_its_server():
    async def story():
        first, second = McpServer(), McpServer()
        async with (
            http_server(first.script) as one,
            http_server(second.script) as two,
            linking() as links,
        ):
            front = session()
            front.upstream_id = "s-9"
            first.sessions.add("s-9")
            old, new = configured(one.url), configured(two.url)
            assert said(await links.link(old).request(tool("a", session=front), Memo())) == "a"
            links.retain([new])

            assert said(await links.link(new).request(tool("b", session=front), Memo())) == "b"
            assert front.upstream_id in second.sessions

    run(story())
