import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from torhaus.audit.entries import START, after, linked, moment, next_line, node_name, read
from torhaus.audit.signing import AuditKey, SignatureError
from torhaus.model.evidence import Begun

KEY = AuditKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
AT = "2025-10-20T14:23:11.234Z"


def test_lines_number_themselves_and_name_the_one_before():
    first = next_line(START, Begun(segment="a"), AT, "gate-1", KEY)
    link = after(first, 1)
    second = next_line(link, Begun(segment="b"), AT, "gate-1", KEY)

    one, two = read(first), read(second)

    assert (one.number, one.previous) == (1, "")
    assert (two.number, two.previous) == (2, link.digest)
    assert linked(one, START)
    assert linked(two, link)
    assert not linked(two, START)
    assert not linked(one, link)


@pytest.mark.parametrize(
    "text", [b"{}", b"[]", b'{"number":1,"at":"","node":"","previous":"","event":{"type":"new"}}']
)
def test_a_signed_text_that_is_no_entry_is_refused(text: bytes):
    with pytest.raises(SignatureError, match="no entry"):
        read(KEY.signed(text))


def test_moments_are_those_of_records():
    assert moment(1760970191.234) == AT


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("gate-1", "gate-1"),
        ("Gate1.example.org", "gate1"),
        ("../../etc", "gate"),
        ("", "gate"),
        ("a b/c", "a-b-c"),
        ("x" * 100, "x" * 32),
    ],
)
def test_a_node_is_named_after_its_host_and_key_and_fits_a_file_name(host: str, name: str):
    assert node_name(host, KEY) == f"{name}-{KEY.id[:6]}"
