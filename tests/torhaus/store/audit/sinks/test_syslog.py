"""Syslog against real servers on loopback: UDP, TCP and TLS."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from tests.torhaus.store.audit.sinks.servers import SyslogReceiver
from tests.torhaus.upstream.certificates import authority
from torhaus.model.shipping import DeliveryError, RefusedError, SyslogTarget
from torhaus.model.tls import Tls
from torhaus.store.audit.sinks.syslog import SyslogSink

Make = Callable[[SyslogTarget], SyslogSink]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[SyslogSink] = []

    def build(target: SyslogTarget) -> SyslogSink:
        made.append(SyslogSink(target, 5.0))
        return made[-1]

    yield build
    for each in made:
        each.close()


def target(receiver: SyslogReceiver, transport: str, trust: Tls | None = None) -> SyslogTarget:
    return SyslogTarget(
        host="127.0.0.1", port=receiver.port, transport=transport, trust=trust or Tls()
    )


def test_each_record_is_a_datagram(make: Make) -> None:
    with SyslogReceiver().serving(udp=True) as receiver:
        make(target(receiver, "udp")).deliver([parcel(1), parcel(2)])
        receiver.wait(2)

    assert [each.endswith(parcel(n).line) for n, each in enumerate(receiver.messages, 1)] == [
        True,
        True,
    ]


def test_what_no_datagram_can_hold_is_refused(make: Make) -> None:
    long = msgspec.structs.replace(parcel(1), line=b"x" * 70_000)

    with SyslogReceiver().serving(udp=True) as receiver:
        sink = make(target(receiver, "udp"))
        with pytest.raises(RefusedError, match="use tcp"):
            sink.deliver([long])
        sink.deliver([parcel(2)])
        receiver.wait(1)


def test_over_tcp_messages_are_counted_on_one_connection(make: Make) -> None:
    awkward = msgspec.structs.replace(parcel(1), line=b"with a\nbreak")

    with SyslogReceiver().serving() as receiver:
        sink = make(target(receiver, "tcp"))
        sink.deliver([awkward, parcel(2)])
        sink.deliver([parcel(3)])
        receiver.wait(3)

    assert receiver.messages[0].endswith(b"with a\nbreak")
    assert receiver.connections == 1


def test_after_a_restart_of_the_receiver_it_connects_again(make: Make) -> None:
    with SyslogReceiver().serving() as receiver:
        sink = make(target(receiver, "tcp"))
        sink.deliver([parcel(1)])
        receiver.wait(1)
        receiver.hang_up()

        for _ in range(3):  # at most the try that meets the closing connection fails
            try:
                sink.deliver([parcel(2)])
            except DeliveryError:
                continue
            break
        receiver.wait(2)

    assert receiver.messages[-1].endswith(parcel(2).line)


def test_nobody_there_is_told(make: Make) -> None:
    with SyslogReceiver().serving() as receiver:
        pass
    sink = make(target(receiver, "tcp"))

    with pytest.raises(DeliveryError, match="cannot be reached: Connection refused"):
        sink.deliver([parcel(1)])


def test_a_receiver_that_reads_nothing_is_no_delivery() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        where = SyslogTarget(host="127.0.0.1", port=deaf.getsockname()[1], transport="tcp")
        sink = SyslogSink(where, 0.2)
        large = msgspec.structs.replace(parcel(1), line=b"x" * (32 << 20))

        with pytest.raises(DeliveryError):
            sink.deliver([large])
        sink.close()


def test_over_tls_the_receiver_is_verified_and_gets_everything(make: Make, tmp_path: Path) -> None:
    ours = authority(tmp_path)
    trust = Tls(ca_file=ours.ca_file)

    with SyslogReceiver().serving(tls=ours.server()) as receiver:
        make(target(receiver, "tls", trust)).deliver([parcel(1), parcel(2)])
        receiver.wait(2)

    assert receiver.messages[1].endswith(parcel(2).line)


def test_a_stranger_gets_nothing(make: Make, tmp_path: Path) -> None:
    with SyslogReceiver().serving(tls=authority(tmp_path).server()) as receiver:
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            make(target(receiver, "tls")).deliver([parcel(1)])

        assert receiver.messages == []


def test_a_receiver_of_another_name_gets_nothing(make: Make, tmp_path: Path) -> None:
    ours = authority(tmp_path)

    with (
        SyslogReceiver().serving(tls=ours.server("other.example")) as receiver,
        pytest.raises(DeliveryError, match="certificate is not trusted"),
    ):
        make(target(receiver, "tls", Tls(ca_file=ours.ca_file))).deliver([parcel(1)])


def test_a_certificate_of_ours_is_shown_where_one_is_asked_for(make: Make, tmp_path: Path) -> None:
    ours = authority(tmp_path)
    server = ours.server()
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(ours.ca_file)
    ours.server("client.example")
    mine = str(tmp_path / "client.example30.pem")
    trust = Tls(ca_file=ours.ca_file, cert_file=mine, key_file=mine)

    with SyslogReceiver().serving(tls=server) as receiver:
        make(target(receiver, "tls", trust)).deliver([parcel(1)])
        receiver.wait(1)
