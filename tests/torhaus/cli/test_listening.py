"""The sockets a gateway listens on."""

import socket

import pytest

from torhaus.cli.listening import TakenError, listen


def test_port_0_is_one_port_for_every_address_of_a_name() -> None:
    opened = listen("localhost", 0)

    ports = {each.getsockname()[1] for each in opened}
    for each in opened:
        each.close()
    assert len(ports) == 1
    assert ports != {0}


def test_a_port_can_be_taken_again_at_once() -> None:
    (first,) = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        first.close()

    (again,) = listen("127.0.0.1", port)

    again.close()


def test_a_port_of_somebody_else_is_refused_with_another_to_try() -> None:
    (first,) = listen("127.0.0.1", 0)
    port = first.getsockname()[1]

    with first, pytest.raises(TakenError, match=f"port {port} .* is taken .*--port {port + 1}"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 300])
def test_what_is_no_address_of_this_machine_is_refused(host: str) -> None:
    with pytest.raises(TakenError, match="is no address of this machine"):
        listen(host, 0)
