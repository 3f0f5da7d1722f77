"""What carries the messages of a streamable HTTP upstream: connections, and exchanges on them."""

import asyncio

from torhaus.model.ports import Sink, UpstreamError
from torhaus.model.servers import HttpAddress, Prover, Server
from torhaus.upstream.again import NONCES, again
from torhaus.upstream.discreet import own
from torhaus.upstream.exchange import McpExchange, Reply
from torhaus.upstream.faults import FaultError
from torhaus.upstream.http import BrokenError, Connection, bare, target
from torhaus.upstream.pool import Pool, trust
from torhaus.upstream.whose import ANOTHERS, anothers


class Carrier:
    """Owned by one event loop. `trouble`: why the last exchange failed, None when it did not.

    `_pool` carries requests, `_streams` carries listening streams, so that many open streams never
    starve calls.
    """

    def __init__(self, server: Server, address: HttpAddress) -> None:
        where, wait = target(address.url), server.connect_timeout
        tls = trust(where, address.ca_file)
        self._loop = asyncio.get_running_loop()
        self._pool = Pool(where, connect_timeout=wait, tls=tls)
        self._streams = Pool(where, connect_timeout=wait, tls=tls, limit=8192)
        self.trouble: str | None = None
        self.show(server, address)

    def show(self, server: Server, address: HttpAddress) -> None:
        """Another credential is presented from now on."""
        self._own = own(server)
        self._prover = address.prover
        self._url = bare(address.url)

    async def send(
        self,
        data: bytes,
        wanted: bytes | None,
        sink: Sink | None,
        patience: float | None,
        *,
        safe: bool = False,
    ) -> Reply:
        """One POST and the end of its exchange.

        A kept connection may turn out to be closed. What is `safe` is then sent once more, on one
        that is new; a tool call is not, because the upstream may have begun it (checklist U12).
        What may wait for ever (`patience` is None) goes where it keeps no other call waiting.
        A server that refuses a proof for want of its nonce has done nothing: it goes once more.
        Raises UpstreamError.
        """
        pool = self._streams if patience is None else self._pool
        connection = pool.idle()
        prover, left = self._prover, NONCES
        while True:
            kept = connection is not None
            if connection is None:
                connection = await self._fresh(pool)
            exchange = McpExchange(self._loop, connection, wanted, sink, own=self._own)
            exchange.plain = not safe  # the answer to a tool call is all in its body
            sent = data if prover is None else proved(prover, self._url, data)
            connection.start(sent, exchange, patience)
            try:
                reply = await exchange.done
                if wanted is not None and reply.answer is not None:
                    _fall_out(connection, reply, wanted)
                if prover is None or not prover.wanted(reply.status, reply.headers) or not left:
                    return reply
                left -= 1
            except BrokenError as error:
                self.trouble = str(error)
                if not again(error, kept=kept, safe=safe):
                    raise
            except UpstreamError as error:
                self.trouble = str(error)
                raise
            finally:
                if connection.exchange is exchange:
                    _let_go(connection, exchange, sink)
            connection = None

    async def stream(self, data: bytes, wanted: bytes | None, sink: Sink) -> Reply:
        """One request whose answer may last as long as it likes. Raises UpstreamError."""
        prover = self._prover
        if prover is None:
            return await self._streamed(data, wanted, sink)
        for _ in range(NONCES):
            reply = await self._streamed(proved(prover, self._url, data), wanted, sink)
            if not prover.wanted(reply.status, reply.headers):
                return reply
        return await self._streamed(proved(prover, self._url, data), wanted, sink)

    async def _streamed(self, data: bytes, wanted: bytes | None, sink: Sink) -> Reply:
        connection = await self._fresh(self._streams)
        exchange = McpExchange(self._loop, connection, wanted, sink, sink.opened, own=self._own)
        connection.start(data, exchange, None)
        try:
            return await exchange.done
        finally:
            sink.throttle = None
            if connection.exchange is exchange:
                connection.transport.abort()

    async def _fresh(self, pool: Pool) -> Connection:
        try:
            return await pool.fresh()
        except UpstreamError as error:
            self.trouble = str(error)
            raise

    def close(self) -> None:
        self._pool.close()
        self._streams.close()


def proved(prover: Prover, url: str, data: bytes) -> bytes:
    """A request with a proof of its own, which no other and no repetition of it may have."""
    method, line = data.partition(b" ")[0], data.index(b"\r\n") + 2
    return data[:line] + prover.line(method.decode("ascii"), url) + data[line:]


def _fall_out(connection: Connection, reply: Reply, wanted: bytes) -> None:
    """With a server that is behind, whoever has the connection by now would get this answer.

    A refusal is looked at all the same: some write one and the same id into all of theirs. Raises
    FaultError.
    """
    if reply.answer is not None and anothers(reply.answer, wanted):
        connection.transport.abort()
        if reply.status < 400:
            raise FaultError(ANOTHERS)


def _let_go(connection: Connection, exchange: McpExchange, sink: Sink | None) -> None:
    """The caller is done though the exchange is not: it hung up, or the stream goes on."""
    if not exchange.done.done() or exchange.done.cancelled():
        connection.transport.abort()
    elif sink is not None:
        sink.throttle = None
        connection.transport.resume_reading()
