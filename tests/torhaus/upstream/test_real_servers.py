"""Links to servers that others wrote: the Python SDK's, and the suite's reference server."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from tests.clients.running import Program
from tests.ports import free_port
from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, ask, run, said, session, tool, until
from tests.torhaus.upstream.webs import auto
from torhaus.model.ports import Detached, UpstreamError

SDK = Path(__file__).parent / "servers" / "sdk_server.py"
CONF_HOME = os.environ.get("CONF_HOME", str(Path(tempfile.gettempdir()) / "torhaus-conformance"))
REFERENCE = sorted(Path(CONF_HOME).glob("sdist/mcp-*/examples/servers/everything-server"))
PYTHON = Path(CONF_HOME) / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    if not REFERENCE or not PYTHON.exists():
        pytest.skip("the suite's reference server is not installed")
    port = free_port()
    command = [str(PYTHON), "-m", "mcp_everything_server.server", "--port", str(port)]
    env = {"PYTHONPATH": str(REFERENCE[-1])}
    with Program(command, port, tmp_path_factory.mktemp("reference") / "log", env):
        yield f"http://127.0.0.1:{port}/mcp"


def sdk(folder, *manners, port=None):
    pytest.importorskip("mcp")
    port = free_port() if port is None else port
    return Program([sys.executable, str(SDK), str(port), *manners], port, folder / "sdk.log")


def url(program):
    return f"http://127.0.0.1:{program.port}/mcp"


async def begun(link, jti="s1"):
    """A session with a client that can do everything."""
    front = session(jti)
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {}, "sampling": {}},
        "clientInfo": {"name": "test", "version": "0"},
    }
    opening = msgspec.structs.replace(ask("initialize", params, session=front), session=None)
    answer = await link.request(opening, Memo())
    front.upstream_id = answer.session
    await link.post(front, "alice", b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    return front


def modern(name, arguments=None):
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        "progressToken": 1,
    }
    call = tool(name, arguments or {}, meta=meta)
    return msgspec.structs.replace(call, name=name)


# The reference server


@pytest.mark.parametrize("loop", LOOPS)
def test_the_reference_server_speaks_both_eras(reference, loop):
    async def story():
        async with auto(reference) as link:
            answer = await link.request(modern("test_simple_text"), Memo())
            front = await begun(link)
            older = await link.request(tool("test_simple_text", session=front), Memo())

            assert said(answer) == said(older)
            assert json.loads(answer.result)["resultType"] == "complete"
            assert "resultType" not in json.loads(older.result)
            facts = link._chosen.facts
            assert (facts.modern, facts.legacy) == (True, True)
            await link.close(front)

    run(story(), loop)


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_the_reference_server_reports_progress(reference, era):
    async def story():
        async with auto(reference) as link:
            memo = Memo()
            if era == "modern":
                await link.request(modern("test_tool_with_progress"), memo)
            else:
                front = await begun(link)
                call = tool("test_tool_with_progress", {}, meta={"progressToken": 1}, session=front)
                await link.request(call, memo)

            assert memo.methods().count("notifications/progress") == 3

    run(story())


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_configured_era_crosses_to_the_other(reference, era):
    """A caller of one era on the same server held to the other."""

    async def story():
        async with auto(reference, era=era) as link:
            if era == "modern":
                front = session()
                call = msgspec.structs.replace(
                    tool("test_simple_text", {}, session=front), name="test_simple_text"
                )
                answer = await link.request(call, Memo())
            else:
                memo = Memo()
                answer = await link.request(modern("test_tool_with_progress"), memo)
                assert memo.methods() == ["notifications/progress"] * 3

            assert answer.result is not None

    run(story())


def test_the_reference_server_asks_and_is_answered(reference):
    async def story():
        async with auto(reference) as link:
            front, memo = await begun(link), Memo()
            call = asyncio.create_task(
                link.request(tool("test_elicitation", {"message": "?"}, session=front), memo)
            )
            await until(lambda: "elicitation/create" in memo.methods())
            asked = next(each for each in memo.notices if each.method == "elicitation/create")
            accepted = {"action": "accept", "content": {"username": "u", "email": "e"}}
            reply = {"jsonrpc": "2.0", "id": json.loads(asked.id), "result": accepted}
            await link.post(front, "alice", json.dumps(reply).encode())

            assert "accept" in said(await call)

    run(story())


def test_the_reference_server_leaves_and_the_answer_is_fetched(reference):
    async def story():
        async with auto(reference) as link:
            front, memo, later = await begun(link), Memo(), Memo()
            with pytest.raises(Detached):
                await link.request(tool("test_reconnection", {}, session=front, id=b"77"), memo)
            last = [
                each.event_id for each in (*memo.primed, *memo.notices) if each.event_id is not None
            ][-1]
            listen = asyncio.create_task(link.listen(front, last, later))
            await until(lambda: b"77" in [each.id for each in later.notices])
            listen.cancel()
            await asyncio.wait([listen])

    run(story())


def test_the_reference_server_offers_a_listening_stream(reference):
    async def story():
        async with auto(reference) as link:
            front, memo = await begun(link), Memo()
            listen = asyncio.create_task(link.listen(front, None, memo))
            await until(lambda: memo.established)
            listen.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listen

    run(story())


# The Python SDK


HELLO = {"text": "a"}
NINE = range(10, 19)
MANNERS = [(), ("json",), ("stateless",), ("stateless", "json")]


@pytest.mark.parametrize("manners", MANNERS)
def test_the_sdks_servers_are_found_out_and_called(manners, tmp_path):
    async def story(program):
        async with auto(url(program)) as link:
            front = await begun(link)
            answers = await asyncio.gather(
                *(
                    link.request(tool("say", HELLO, session=front, id=b"%d" % n), Memo())
                    for n in NINE
                ),
                *(link.request(modern("say", HELLO), Memo()) for _ in NINE),
            )

            assert [said(each) for each in answers] == ["a"] * 18
            assert (front.upstream_id is None) is ("stateless" in manners)
            assert link.state() == "ready"

    with sdk(tmp_path, *manners) as program:
        run(story(program))


@pytest.mark.parametrize("manners", [(), ("stateless",)])
def test_stateless_callers_on_an_sdk_server_held_to_sessions(manners, tmp_path):
    async def story(program):
        async with auto(url(program), era="legacy") as link:
            counts = [said(await link.request(modern("count"), Memo())) for _ in range(3)]
            memo = Memo()
            await link.request(modern("slowly"), memo)

            if not manners:
                assert counts == ["1", "2", "3"]
            assert memo.methods() == ["notifications/progress"] * 3

    with sdk(tmp_path, *manners) as program:
        run(story(program))


def test_an_sdk_server_that_restarts_has_forgotten_its_sessions_and_nobody_notices(tmp_path):
    async def story():
        port = free_port()
        with sdk(tmp_path, port=port) as program:
            async with auto(url(program)) as link:
                front = await begun(link)
                assert said(await link.request(tool("count", {}, session=front), Memo())) == "1"
                before = front.upstream_id
                await asyncio.to_thread(program.stop)
                with pytest.raises(UpstreamError):
                    await link.request(tool("count", {}, session=front), Memo())
                await asyncio.to_thread(program.start)

                assert said(await link.request(tool("count", {}, session=front), Memo())) == "1"
                assert front.upstream_id not in (None, before)

    run(story())


def test_an_sdk_server_ends_a_session_when_it_is_told_to(tmp_path):
    async def story(program):
        async with auto(url(program)) as link:
            front = await begun(link)
            gone = front.upstream_id
            await link.close(front)
            front.upstream_id = gone
            await link.request(tool("say", {"text": "a"}, session=front), Memo())

            assert front.upstream_id != gone

    with sdk(tmp_path) as program:
        run(story(program))
