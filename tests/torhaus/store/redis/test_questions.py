import asyncio

from hiredis import ReplyError, pack_command

from tests.torhaus.store.redis.valkeys import Valkey, play
from torhaus.store.redis.questions import KEPT, NAMED, Names, Question
from torhaus.store.redis.scripts import FIND
from torhaus.store.redis.wire import Reply, Unreachable, Wire


def test_a_written_out_question_is_the_command_itself() -> None:
    question = Question(b"{n:s}:g", b"{n:s}:e:", "größe")
    for key in (b"", b"k", b'["a\r\n",null]', b"x" * 256):
        name = b"n" * 16
        (one, two), words = question.words(key, name)
        command = ("EVALSHA", FIND.digest, 2, one, two, *words)

        assert (one, two) == (b"{n:s}:g", b"{n:s}:e:" + key)
        assert words == ("größe", name, KEPT, NAMED)
        assert question.packed(key, name) == pack_command(command)


def test_no_name_is_given_twice() -> None:
    one, other = Names(), Names()

    names = {each.fresh() for each in (one, other) for _ in range(1000)}

    assert len(names) == 2000
    assert {len(each) for each in names} == {16}


async def wire(server: Valkey, timeout: float = 5.0) -> Wire:
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(
        lambda: Wire(timeout, lambda _: None, lambda _: None), *server.address
    )
    return made


def test_replies_come_in_the_order_of_the_questions(server: Valkey) -> None:
    async def story() -> None:
        one = await wire(server)

        async def ask(number: int) -> bytes:
            found: bytes = await one.ask(pack_command(("ECHO", number)))
            return found

        tasks = [asyncio.ensure_future(ask(number)) for number in range(20)]
        await asyncio.sleep(0)
        for number in range(0, 20, 3):
            tasks[number].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)

        for number, end in enumerate(ended):
            cancelled = isinstance(end, asyncio.CancelledError)
            assert cancelled if number % 3 == 0 else end == b"%d" % number
        assert await one.ask(pack_command(("ECHO", "last"))) == b"last"
        one.close()

    play(story)


def test_what_the_server_complains_of_is_raised(server: Valkey) -> None:
    async def story() -> None:
        one = await wire(server)
        asked = one.ask(pack_command(("NONSENSE",)))
        await asyncio.sleep(0.05)  # it has come before anybody waits
        said = ""
        try:
            await asked
        except ReplyError as error:
            said = str(error)
        assert "NONSENSE" in said
        one.close()

    play(story)


def test_what_goes_wrong_with_one_reply_does_not_end_the_line(server: Valkey) -> None:
    async def story() -> None:
        one = await wire(server)
        heard: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, what: heard.append(what["exception"]))
        wrong = RuntimeError("wrong")

        def fail(_: object) -> None:
            raise wrong

        one.ask(pack_command(("PING",))).add_done_callback(fail)
        found = await one.ask(pack_command(("ECHO", "next")))

        assert (found, heard) == (b"next", [wrong])
        one.close()

    play(story)


def test_a_reply_that_takes_too_long_or_never_comes_is_an_end(own: Valkey) -> None:
    async def story() -> None:
        one = await wire(own, 0.1)
        own.pause()
        words = pack_command(("PING",))
        ends = [await _end(one.ask(words))]
        lost = asyncio.ensure_future(_end(one.ask(words)))
        await asyncio.sleep(0)
        one.close()
        own.resume()
        ends += [await lost, await _end(one.ask(words))]

        assert ends == [
            "the server takes too long",
            "the connection was closed",
            "the connection is closed",
        ]

    play(story)


async def _end(reply: Reply) -> str:
    try:
        await reply
    except Unreachable as error:
        return str(error)
    return ""
