"""The journal held against its signatures, its own links, and heads that were kept elsewhere."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from torhaus.audit.entries import START, after, read
from torhaus.audit.locate import Fault
from torhaus.audit.signing import SignatureError, opened, verify
from torhaus.model.evidence import JournalEntry, JournalHead

Keys = Mapping[str, Ed25519PublicKey]


class Attest:
    """Told of every line in turn. `keys`: those to be believed, by id.

    `several`: whether lines may be signed by different ones, because each was named by whoever
    asks. `faults` in the order of lines; `entries`: those that can be read; `signers`: in the
    order in which they came.
    """

    def __init__(self, keys: Keys, *, several: bool = False) -> None:
        self.faults: list[Fault] = []
        self.entries: list[JournalEntry] = []
        self.signers: list[str] = []
        self._keys = keys
        self._several = several
        self._link = START
        self._digests: list[str] = []
        self._doubted = False

    @property
    def lines(self) -> int:
        return len(self._digests)

    @property
    def digest(self) -> str:
        """Of the newest line."""
        return self._link.digest

    def line(self, line: bytes) -> None:
        """With its break."""
        at, number = self.lines + 1, self._link.number + 1
        before = len(self.faults)
        if not line.endswith(b"\n"):
            self.faults.append(Fault(at, "has no end: a crash has torn it, or it was cut"))
        elif (entry := self._signed(line, at)) is not None:
            self.entries.append(entry)
            self._linked(entry, at)
            number = entry.number
        # What comes after a faulty line cannot go on from it; that is no second fault.
        self._doubted = len(self.faults) > before
        self._link = after(line, number)
        self._digests.append(self._link.digest)

    def _signed(self, line: bytes, at: int) -> JournalEntry | None:
        try:
            signed = opened(line)
            verify(signed, self._key(signed.key))
            entry = read(line)
        except SignatureError as error:
            self.faults.append(Fault(at, f"was changed or forged: {error}"))
            return None
        self._signer(signed.key, at)
        return entry

    def _key(self, key: str) -> Ed25519PublicKey:
        found = self._keys.get(key)
        if found is None:
            raise SignatureError(f"it is signed by the unknown key {key[:64]!r}")
        return found

    def _linked(self, entry: JournalEntry, at: int) -> None:
        expected = self._link.number + 1
        if entry.number != expected:
            self.faults.append(Fault(at, _moved(entry.number, expected)))
        elif entry.previous != self._link.digest and not self._doubted:
            self.faults.append(Fault(at, "does not go on from the line before it"))

    def _signer(self, key: str, at: int) -> None:
        if key in self.signers:
            return
        if self.signers and not self._several:
            what = f"and later ones are signed by another key, {key}, than the ones before"
            self.faults.append(Fault(at, what))
        self.signers.append(key)

    def head(self, head: JournalHead) -> Iterator[Fault]:
        """What contradicts a head that was kept elsewhere."""
        if head.number > self.lines:
            gone = head.number - self.lines
            what = f"it ends with line {self.lines}, and line {head.number} was published"
            yield Fault(0, f"{what}: {gone} {'line is' if gone == 1 else 'lines are'} gone")
        elif head.number and self._digests[head.number - 1] != head.digest:
            yield Fault(head.number, "is not the line that was published: it was replaced")


def _moved(number: int, expected: int) -> str:
    if number > expected:
        gone = number - expected
        return f"is number {number}: {gone} {'line' if gone == 1 else 'lines'} before it gone"
    return f"is number {number}, and should be {expected}: it was moved or copied"
