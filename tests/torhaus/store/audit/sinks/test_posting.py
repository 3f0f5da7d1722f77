"""POST over HTTP against a real server on loopback."""

from email.utils import formatdate
from pathlib import Path

import pytest

from tests.torhaus.store.audit.sinks.servers import HttpReceiver, Said
from tests.torhaus.upstream.certificates import authority
from torhaus.model.shipping import DeliveryError, RefusedError
from torhaus.model.tls import Tls
from torhaus.store.audit.sinks.posting import Poster, retry_after, stay_private

JSON = {"content-type": "application/json"}


def poster(receiver: HttpReceiver, path: str = "/in?x=1", trust: Tls | None = None) -> Poster:
    return Poster(receiver.url + path, trust or Tls(), 5.0)


def test_a_body_is_posted_and_the_answer_returned() -> None:
    with HttpReceiver(Said(body=b'{"ok":1}')).serving() as receiver:
        made = poster(receiver)

        assert made.post(b"{}", JSON) == (b'{"ok":1}', None)

        assert (receiver.got[0].path, receiver.got[0].body) == ("/in?x=1", b"{}")
        assert receiver.got[0].headers["content-type"] == "application/json"
        made.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with HttpReceiver(Said(), Said(hang_up=True)).serving() as receiver:
        made = poster(receiver)
        made.post(b"1", JSON)

        made.post(b"2", JSON)

        assert [got.body for got in receiver.got] == [b"1", b"2", b"2"]
        made.close()


def test_a_new_connection_that_is_closed_is_a_failure() -> None:
    with (
        HttpReceiver(always=Said(hang_up=True)).serving() as receiver,
        pytest.raises(DeliveryError, match="closed the connection"),
    ):
        poster(receiver).post(b"1", JSON)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_with_the_body_is_refused(status: int) -> None:
    with HttpReceiver(Said(status, b"bad field")).serving() as receiver:
        made = poster(receiver)
        with pytest.raises(RefusedError, match=f"HTTP {status}: bad field"):
            made.post(b"1", JSON)
        made.close()


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_what_somebody_can_put_right_is_tried_again(status: int) -> None:
    with HttpReceiver(Said(status, b"secret words", {"retry-after": "7"})).serving() as receiver:
        made = poster(receiver)
        with pytest.raises(DeliveryError) as caught:
            made.post(b"1", JSON)
        made.close()

    assert str(caught.value) == f"it answered HTTP {status}"
    assert caught.value.wait == 7.0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with HttpReceiver().serving() as other:
        answer = Said(status, headers={"location": f"{other.url}/steal"})
        with HttpReceiver(answer).serving() as receiver:
            made = poster(receiver)
            with pytest.raises(DeliveryError, match="redirects are not followed"):
                made.post(b"1", {"authorization": "secret"})
            made.close()

        assert other.got == []


def test_over_tls_the_receiver_is_verified(tmp_path: Path) -> None:
    ours = authority(tmp_path)

    with HttpReceiver().serving(ours.server()) as receiver:
        made = poster(receiver, trust=Tls(ca_file=ours.ca_file))
        made.post(b"1", JSON)
        made.close()
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            poster(receiver).post(b"1", JSON)

        assert len(receiver.got) == 1


@pytest.mark.parametrize("name", ["gone.pem", "empty.pem"])
def test_files_that_cannot_be_used_are_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.pem").touch()

    with pytest.raises(DeliveryError, match="cannot be used"):
        Poster("https://127.0.0.1", Tls(ca_file=str(tmp_path / name)), 1.0)


def test_an_answer_without_end_is_cut() -> None:
    with (
        HttpReceiver(Said(body=b"x" * 5000)).serving() as receiver,
        pytest.raises(DeliveryError, match="too large"),
    ):
        Poster(receiver.url, Tls(), 5.0, 1000).post(b"1", JSON)


def test_nobody_there_is_told_without_addresses() -> None:
    with HttpReceiver().serving() as receiver:
        pass

    with pytest.raises(DeliveryError) as caught:
        poster(receiver).post(b"1", JSON)

    assert str(caught.value) == "it cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (formatdate(1_700_000_060, usegmt=True), 60.0),
        (formatdate(1_600_000_000, usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, 1_700_000_000) == seconds


class _Peer:
    def __init__(self, address: str) -> None:
        self._address = address

    def getpeername(self) -> tuple[str, int]:
        return self._address, 80


@pytest.mark.parametrize("address", ["127.0.0.1", "10.2.3.4", "::1", "fd00::1", "192.168.1.1"])
def test_plain_text_goes_to_private_addresses(address: str) -> None:
    stay_private(_Peer(address))  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_plain_text_goes_to_no_public_address(address: str) -> None:
    with pytest.raises(DeliveryError, match="over TLS only"):
        stay_private(_Peer(address))  # type: ignore[arg-type]
