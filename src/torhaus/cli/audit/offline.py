"""Questions about an audit log on this machine, with or without a gateway that runs."""

import asyncio
import os
import pwd
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from torhaus.admin.auditing import OPERATION, too_long
from torhaus.audit.acts import Act, act_record, failed_record, refused_record, user
from torhaus.model.asking import Question, Table, Unanswered
from torhaus.model.keeping import Bucket
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.redact.guard import SHAPES
from torhaus.store.audit.discreet import DiscreetLedger
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.keys import audit_key
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.pseudonyms import NAME as KEYS
from torhaus.store.audit.pseudonyms import People
from torhaus.store.audit.tiers.depot import Depot, shelves
from torhaus.store.audit.tiers.errand import Errand
from torhaus.store.audit.veiling import Veiling
from torhaus.store.audit.writer import LedgerSettings
from torhaus.store.query.copies import copying
from torhaus.store.query.files import AuditFiles, Fetch, elsewhere
from torhaus.store.query.sandbox import SandboxRecords

STRANGER = "(without a pseudonym)"
RULE = "may read the files"
"""What lets somebody ask without a gateway: nothing but his account on this machine."""


class Answered(msgspec.Struct, frozen=True):
    """`unrecorded`: why no audit record was left; None when one was."""

    found: Table | Unanswered
    unrecorded: str | None


def ask(
    data_dir: Path, question: Question, name: str | None, bucket: Bucket | None = None
) -> Answered:
    """`name`: of a saved question. `bucket`: where day files may be besides.

    Whoever asks as root does it as the owner of the data. Raises OSError, ValueError.
    """
    who = asker()
    long = too_long(question.sql)
    if long is not None:
        return Answered(Unanswered(code="refused", why=long), None)
    hot = data_dir / "audit" / "hot"
    why = become_owner(hot)
    files = AuditFiles(data_dir / "audit", fetch(data_dir, bucket))
    return asyncio.run(_ask(files, data_dir, _Asking(question, name, who, why)))


class _Asking(msgspec.Struct, frozen=True):
    question: Question
    name: str | None
    who: str
    unrecorded: str | None


async def _ask(files: AuditFiles, data_dir: Path, asking: _Asking) -> Answered:
    found = await SandboxRecords(files.find).ask(asking.question)
    why = asking.unrecorded
    if why is None:
        record = _shaped(asking.question, asking.name, asking.who, found)
        why = await _record(data_dir, record)
    return Answered(found, why)


def fetch(data_dir: Path, bucket: Bucket | None) -> Fetch:
    """How day files come here that are in a bucket. Raises OSError, ValueError."""
    if bucket is None:
        return elsewhere
    audit = data_dir / "audit"
    journal = Journal(audit, audit_key(data_dir, os.urandom))
    reader, places = JournalReader(audit), shelves(audit, bucket)
    depot = Depot(audit=audit, journal=journal, reader=reader, shelves=places, convert=Errand())
    return copying(Fetched(depot))


def noted(data_dir: Path, operation: str, facts: Mapping[str, Any]) -> str | None:
    """Leave the record of what was done here without a gateway; why there is none, if so.

    Root leaves it as the owner of the data, so that the gateway can read it.
    """
    who = user(asker(), ("local",), "")
    id = "adm_" + secrets.token_hex(10)
    try:
        act = Act(operation=operation, facts=_unnamed(data_dir, facts))
        record = act_record(act, who, id=id, at=time.time(), rule=RULE, reason=RULE)
        with _as_owner(data_dir / "audit" / "hot"):
            return asyncio.run(_record(data_dir, record))
    except OSError as error:
        return f"{error.strerror}: {error.filename}" if error.filename else str(error)
    except ValueError as error:
        return str(error)


_PEOPLE = frozenset(("user", "subject", "with"))


def _unnamed(data_dir: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Where records hold pseudonyms: without whoever has none, or was forgotten."""
    if not (data_dir / "audit" / KEYS).exists():
        return dict(facts)
    known = {each.lower() for each in People(data_dir).mapping().values()}
    return {
        name: STRANGER if name in _PEOPLE and str(told).lower() not in known else told
        for name, told in facts.items()
    }


@contextmanager
def _as_owner(directory: Path) -> Iterator[None]:
    """For a while: what goes on afterwards may be allowed to root alone. Raises OSError."""
    found, uid, gid = directory.stat(), os.geteuid(), os.getegid()
    if found.st_uid == uid:
        yield
        return
    if uid != 0:
        raise PermissionError(f"{directory} belongs to another user")
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)


def _shaped(question: Question, name: str | None, who: str, found: Table | Unanswered) -> Record:
    facts: dict[str, Any] = {} if name is None else {"saved": name}
    facts["sql"] = question.sql
    if isinstance(found, Table):
        shape, why = act_record, RULE
        facts |= {"milliseconds": round(found.seconds * 1000), "rows": len(found.rows)}
    else:
        shape = refused_record if found.code == "refused" else failed_record
        why = found.why
    id = "adm_" + secrets.token_hex(10)
    act, by = Act(operation=OPERATION, facts=facts), user(who, ("local",), "")
    return shape(act, by, id=id, at=time.time(), rule=RULE, reason=why)


async def _record(data_dir: Path, record: Record) -> str | None:
    """None once it is on disk; otherwise why it is not."""
    try:
        journal = Journal(data_dir / "audit", audit_key(data_dir, os.urandom))
        ledger = SegmentLedger(data_dir / "audit" / "hot", journal, LedgerSettings())
        ledger.start()
    except (OSError, ValueError, LedgerError) as error:
        return str(error)
    try:
        durable = DiscreetLedger(ledger, SHAPES, _veiling(data_dir)).note(record)
        if durable is not None:
            await durable
    except (OSError, ValueError, LedgerError) as error:
        return str(error)
    finally:
        await ledger.close()
    return None


def _veiling(data_dir: Path) -> Veiling | None:
    """Where records hold pseudonyms, this one does too. Raises OSError, ValueError."""
    if not (data_dir / "audit" / KEYS).exists():
        return None
    people = People(data_dir)
    known = tuple(each for each in people.mapping().values() if "@" in each)
    return Veiling(people, lambda: known)


def become_owner(directory: Path) -> str | None:
    """Files that root leaves behind could not be read by the gateway. Why not to write, if so."""
    try:
        found = directory.stat()
    except OSError as error:
        return f"{directory}: {error.strerror}"
    if found.st_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        return f"{directory} belongs to another user"
    os.setgroups([])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)
    return None


def asker() -> str:
    """The account, and on which machine."""
    return f"{account()}@{socket.gethostname()}"


def account() -> str:
    """Whose program this is; before it, who became root by sudo.

    By the system's word: other environment variables say whatever somebody likes.
    """
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid-{os.getuid()}"
    by = os.environ.get("SUDO_USER")
    return f"{by} as {name}" if by else name
