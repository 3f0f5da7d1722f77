import base64
import struct
from hashlib import sha256
from zlib import crc32

from torhaus.audit.chain import Chain, Span
from torhaus.audit.marks import read_checkpoint

AT = "2025-10-20T14:23:11.234Z"


def line(number: int) -> bytes:
    return b'{"timestamp":"2025-10-20T14:23:%02d.234Z","n":%d}\n' % (number, number)


def test_a_checkpoint_proves_its_block_and_the_mark_before_it():
    chain = Chain()
    chain.mark(b"head\n")
    chain.add(line(1) + line(2))
    first = chain.checkpoint(AT)
    chain.add(line(3))
    second = chain.checkpoint(AT)

    one, two = read_checkpoint(first), read_checkpoint(second)

    assert one is not None
    assert two is not None
    assert one.chain == sha256(b"head\n" + line(1) + line(2)).hexdigest()
    assert two.chain == chain.chain == sha256(first + line(3)).hexdigest()
    assert (one.records, two.records) == (2, 3)
    whole = b"head\n" + line(1) + line(2) + first + line(3) + second
    assert chain.sha256 == sha256(whole).hexdigest()
    assert (chain.octets, chain.records, chain.pending) == (len(whole), 3, 0)
    assert base64.b64decode(one.crc) == struct.pack(">2I", crc32(line(1)[:-1]), crc32(line(2)[:-1]))


def test_a_copy_goes_on_by_itself():
    chain = Chain()
    chain.add(line(1))
    other = chain.copy()
    other.add(line(2))

    assert (chain.records, other.records) == (1, 2)
    again = chain.copy()
    again.add(line(2))
    assert again.checkpoint(AT) == other.checkpoint(AT)
    assert chain.pending == 1


def test_the_span_is_that_of_all_times_in_any_order():
    span = Span()
    assert (span.first, span.last) == (b"", b"")

    span.add([line(5), line(3)])
    span.add([line(4)])
    span.add([])

    assert span.first == b"2025-10-20T14:23:03.234Z"
    assert span.last == b"2025-10-20T14:23:05.234Z"


def test_lines_without_a_time_do_not_spoil_it():
    span = Span()

    span.add([b"no record", line(3), b'{"timestamp":"soon"}', b"z" * 50])
    span.add([b""])

    assert span.first == span.last == b"2025-10-20T14:23:03.234Z"
