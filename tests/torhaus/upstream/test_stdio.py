"""Child processes: how they are started, fed, and ended."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass, field

import pytest

from tests.torhaus.upstream.pipes import SCRIPT, address, alive, children, run, secret, until
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import StdioAddress
from torhaus.upstream.pipe import NotSentError
from torhaus.upstream.stdio import environment, stdio_opener


@dataclass
class Ears:
    heard: list[bytes] = field(default_factory=list)
    lost: list[tuple[bytes, bytes]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def message(self, data):
        self.heard.append(data)

    def oversized(self, head, tail):
        self.lost.append((head, tail))

    def ended(self, reason):
        self.reasons.append(reason)


@contextlib.asynccontextmanager
async def opened(command, ears=None, **more):
    ears = Ears() if ears is None else ears
    pipe = await stdio_opener("fixture", command, **more)(ears)
    try:
        yield pipe, ears
    finally:
        await pipe.close()


def shell(script, **more):
    return StdioAddress(command="sh", args=("-c", script), **more)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_messages_are_lines_both_ways(loop):
    async def story():
        async with opened(StdioAddress(command="cat")) as (pipe, ears):
            await pipe.send(b'{"a":1}')
            await pipe.send(b'{\n"b":\r\n2}')
            await until(lambda: len(ears.heard) == 2)

            assert ears.heard == [b'{"a":1}', b'{ "b":  2}']
            assert ears.reasons == []

    run(story(), loop)


def test_a_megabyte_goes_through_both_ways():
    async def story():
        async with opened(StdioAddress(command="cat")) as (pipe, ears):
            for _ in range(4):
                await pipe.send(b"x" * 1_000_000)
            await until(lambda: len(ears.heard) == 4)

    run(story())


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo '{}'; echo one >&2; printf 'last words' >&2; exit 9",
            "stopped with exit code 9: last words",
        ),
        ("exit 0", "stopped with exit code 0"),
        ("kill -9 $$", "was ended by SIGKILL"),
        ("sleep 60 & exit 4", "stopped with exit code 4"),
    ],
)
def test_the_end_of_a_process_is_reported_once_with_its_reason(script, reason, loop):
    async def story():
        async with opened(shell(script)) as (pipe, ears):
            await until(lambda: ears.reasons)
            with pytest.raises(NotSentError):
                await pipe.send(b"{}")
            await pipe.close()

            assert ears.reasons == [reason]

    run(story(), loop)


def test_a_process_without_output_is_over():
    async def story():
        async with opened(shell("exec >&-; sleep 60")) as (_, ears):
            await until(lambda: ears.reasons)

            assert ears.reasons == ["closed its output"]

    # Under uvloop the child has a second descriptor of its output, so that this end never shows.
    run(story(), "asyncio")


def test_what_was_said_before_the_end_is_still_heard():
    async def story():
        async with opened(shell("seq 5000; exit 1")) as (_, ears):
            await until(lambda: ears.reasons)

            assert len(ears.heard) == 5000

    run(story())


@pytest.mark.parametrize(
    ("manners", "least", "most"),
    [((), 0.0, 1.9), (("child",), 0.0, 20.0), (("stubborn",), 3.9, 20.0)],
)
def test_a_process_gets_time_to_end_and_no_more(manners, least, most):
    async def story():
        async with opened(address(*manners)) as (pipe, ears):
            await pipe.send(b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
            await until(lambda: ears.heard)
            began = asyncio.get_running_loop().time()
            await asyncio.gather(pipe.close(), pipe.close())
            took = asyncio.get_running_loop().time() - began

            assert least <= took <= most
            assert not alive(pipe.pid)
            assert ears.reasons == []  # we asked for it

    run(story())


def test_sigterm_comes_before_sigkill():
    async def story():
        script = "trap 'echo terminated; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        async with opened(shell(script)) as (pipe, ears):
            await until(lambda: ears.heard)
            began = asyncio.get_running_loop().time()
            await pipe.close()

            assert asyncio.get_running_loop().time() - began < 3.0
            assert ears.heard == [b"ready", b"terminated"]

    run(story())


@pytest.mark.parametrize("redirect", ["", ">/dev/null 2>&1 </dev/null"])
def test_children_of_a_process_end_with_it(redirect):
    async def story():
        async with opened(shell(f"sleep 600 {redirect} & echo $!; read x")) as (pipe, ears):
            await until(lambda: ears.heard)
            child = int(ears.heard[0])
            assert alive(child)
            await pipe.close()
            await until(lambda: not alive(child))

    run(story())


def test_children_of_a_crashed_process_end_with_it():
    async def story():
        async with opened(shell("sleep 600 & echo $!; exit 1")) as (pipe, ears):
            await until(lambda: ears.reasons)
            child = int(ears.heard[0])
            await pipe.close()
            await until(lambda: not alive(child))

    run(story())


def test_it_is_not_in_our_process_group():
    async def story():
        async with opened(StdioAddress(command="cat")) as (pipe, _):
            assert os.getpgid(pipe.pid) == pipe.pid != os.getpgid(0)

    run(story())


def test_a_process_that_does_not_read_slows_the_sender_and_can_still_be_ended():
    async def story():
        async with opened(shell("exec sleep 600")) as (pipe, _):
            sends = [asyncio.ensure_future(pipe.send(b"x" * 300_000)) for _ in range(5)]
            await asyncio.sleep(0.1)
            waiting = [send for send in sends if not send.done()]
            assert waiting
            await pipe.close()
            results = await asyncio.gather(*waiting, return_exceptions=True)

            assert all(isinstance(result, NotSentError) for result in results)

    run(story())


def test_reading_can_pause():
    async def story():
        async with opened(shell("while :; do echo '{}'; done")) as (pipe, ears):
            await until(lambda: ears.heard)
            pipe.pause()
            pipe.pause()
            await asyncio.sleep(0.05)
            count = len(ears.heard)
            await asyncio.sleep(0.1)
            assert len(ears.heard) == count
            pipe.resume()
            await until(lambda: len(ears.heard) > count)
            pipe.pause()

    run(story())


def test_a_message_above_the_limit_is_reported_and_the_next_one_heard():
    async def story():
        script = "head -c 3000 /dev/zero | tr '\\0' x; echo; echo next"
        async with opened(shell(script), limit=2000) as (_, ears):
            await until(lambda: ears.heard)

            assert ears.heard == [b"next"]
            assert len(ears.lost) == 1

    run(story())


def test_a_server_sees_the_allow_list_and_what_is_configured(monkeypatch):
    monkeypatch.setenv("TORHAUS_SECRET", "ours")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    async def story():
        command = StdioAddress(
            command="env", env=(("TOKEN", secret("theirs")), ("LANG", secret("C")))
        )
        async with opened(command) as (_, ears):
            await until(lambda: ears.reasons)
            seen = dict(line.split(b"=", 1) for line in ears.heard)

            assert seen[b"TOKEN"] == b"theirs"
            assert seen[b"LANG"] == b"C"
            assert b"TORHAUS_SECRET" not in seen

    run(story())


def test_programs_beside_our_interpreter_are_found_last():
    path = environment(StdioAddress(command="x"))["PATH"].split(os.pathsep)

    assert path[-1] == os.path.dirname(sys.executable)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            StdioAddress(command="no-such-program", args=("s3cret",)),
            'the command "no-such-program" was not found',
        ),
        (StdioAddress(command="/no/such/program"), "No such file or directory"),
        (StdioAddress(command=os.path.dirname(SCRIPT)), "Permission denied"),
        (
            StdioAddress(command="cat", cwd="/no/such/place"),
            'there is no directory "/no/such/place"',
        ),
        (StdioAddress(command="cat", args=("a\0b",)), "its command line has a zero byte in it"),
        (StdioAddress(command="cat", args=("s3cret" * 500_000,)), "Argument list too long"),
    ],
)
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_what_cannot_be_started_is_named_without_its_arguments(command, sentence, loop):
    async def story():
        with pytest.raises(UpstreamError) as caught:
            await stdio_opener("fixture", command)(Ears())

        assert str(caught.value) == f"it cannot be started: {sentence}"

    run(story(), loop)


def test_a_signal_to_the_process_is_its_end():
    async def story():
        async with opened(address()) as (pipe, ears):
            os.kill(pipe.pid, signal.SIGTERM)
            await until(lambda: ears.reasons)

            assert ears.reasons == ["was ended by SIGTERM"]
            await until(lambda: children() == [])

    run(story())


@pytest.mark.parametrize("name", ["mcp-server-time", "mcp-server-git"])
def test_servers_of_the_real_world_answer(name):
    path = environment(StdioAddress(command=name))["PATH"]
    if shutil.which(name, path=path) is None:
        pytest.skip(f"{name} is not installed")

    async def story():
        hello = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            },
        }
        async with opened(StdioAddress(command=name)) as (pipe, ears):
            await pipe.send(json.dumps(hello).encode())
            await until(lambda: ears.heard)

            assert json.loads(ears.heard[0])["result"]["serverInfo"]["name"] == name.replace(
                "server-", ""
            )

    run(story())
