import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from torhaus.audit.signing import AuditKey, SignatureError, key_id, opened, verify

KEY = AuditKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
LINE = KEY.signed(b'{"number":1}')


def test_a_signed_line_is_what_its_parts_say():
    signed = opened(LINE)

    assert bytes(signed.entry) == b'{"number":1}'
    assert signed.key == KEY.id == key_id(KEY.public())
    verify(signed, KEY.public())


@given(st.integers(0, len(LINE) - 1), st.integers(0, 255))
def test_no_octet_of_a_line_can_be_changed(at: int, octet: int):
    changed = bytearray(LINE)
    changed[at] = octet
    if changed == LINE:
        return

    with pytest.raises(SignatureError):
        accept(bytes(changed))


@given(st.integers(0, len(LINE)), st.integers(0, 255))
def test_nothing_can_be_added_to_a_line(at: int, octet: int):
    with pytest.raises(SignatureError):
        accept(LINE[:at] + bytes([octet]) + LINE[at:])


@given(st.integers(0, len(LINE) - 1))
def test_nothing_can_be_taken_from_a_line(at: int):
    with pytest.raises(SignatureError):
        accept(LINE[:at] + LINE[at + 1 :])


def test_anothers_signature_is_refused():
    other = AuditKey(Ed25519PrivateKey.from_private_bytes(b"1" * 32))

    with pytest.raises(SignatureError, match="changed, or forged"):
        verify(opened(other.signed(b"{}")), KEY.public())


def accept(line: bytes) -> None:
    """As a verifier does, who knows one key."""
    signed = opened(line)
    if signed.key != KEY.id:
        raise SignatureError("an unknown key")
    verify(signed, KEY.public())
