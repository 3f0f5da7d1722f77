from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from torhaus.audit.attest import Attest
from torhaus.audit.entries import START, after, next_line
from torhaus.audit.signing import AuditKey, digest
from torhaus.model.evidence import Begun, JournalHead

AT = "2025-10-20T14:23:11.234Z"
ONE = AuditKey(Ed25519PrivateKey.from_private_bytes(b"1" * 32))
TWO = AuditKey(Ed25519PrivateKey.from_private_bytes(b"2" * 32))
KEYS = {each.id: each.public() for each in (ONE, TWO)}


def journal(*keys: AuditKey) -> list[bytes]:
    made, link = [], START
    for number, key in enumerate(keys, 1):
        made.append(next_line(link, Begun(segment=f"s{number}"), AT, "gate-1", key))
        link = after(made[-1], number)
    return made


def attested(lines: list[bytes], *, several: bool = False) -> Attest:
    attest = Attest(KEYS, several=several)
    for line in lines:
        attest.line(line)
    return attest


def faults(lines: list[bytes], *, several: bool = False) -> list[str]:
    return [str(each) for each in attested(lines, several=several).faults]


def head(number: int, digest: str) -> JournalHead:
    return JournalHead(number=number, digest=digest, at=AT, node="gate-1", live={})


def test_a_journal_as_it_was_written_is_good():
    lines = journal(ONE, ONE, ONE)

    found = attested(lines)

    assert found.faults == []
    assert found.signers == [ONE.id]
    assert (found.lines, found.digest) == (3, digest(lines[-1]))


def test_the_line_after_a_changed_one_is_no_second_fault():
    lines = journal(ONE, ONE, ONE, ONE)
    lines[1] = lines[1].replace(b"gate-1", b"gate-2")

    (found,) = faults(lines)

    assert found.startswith("line 2 was changed or forged: its signature does not fit")


def test_a_line_that_was_signed_anew_does_not_fit_the_next():
    lines = journal(ONE, ONE, ONE)
    lines[1] = next_line(after(lines[0], 1), Begun(segment="other"), AT, "gate-1", ONE)

    assert faults(lines) == ["line 3 does not go on from the line before it"]


def test_another_key_is_a_fault_unless_both_were_named():
    lines = journal(ONE, ONE, TWO, TWO)

    (found,) = faults(lines)
    assert found.startswith("line 3 and later ones are signed by another key")
    assert faults(lines, several=True) == []


def test_a_head_must_be_of_this_journal():
    lines = journal(ONE, ONE, ONE)
    found = attested(lines)

    assert list(found.head(head(2, digest(lines[1])))) == []
    assert list(found.head(head(0, ""))) == []
    (other,) = found.head(head(2, "0" * 64))
    assert str(other) == "line 2 is not the line that was published: it was replaced"
    (cut,) = found.head(head(4, "0" * 64))
    assert str(cut) == "it ends with line 3, and line 4 was published: 1 line is gone"
