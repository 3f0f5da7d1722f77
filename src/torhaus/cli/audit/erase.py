"""`torhaus audit erase`: forget who a person was, and keep the records as they were written."""

import asyncio
import os
import secrets
import time
from typing import Annotated

import typer

from torhaus.audit.acts import Act, act_record, failed_record
from torhaus.cli.audit.depots import as_owner_only
from torhaus.cli.audit.offline import account
from torhaus.cli.output import counted, refuse, say
from torhaus.cli.reading import DEFAULT, ConfigFile, DataDir, Reader, read_or_exit
from torhaus.config.load import Loaded
from torhaus.config.settings import Settings
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.record import Record, RecordUser
from torhaus.redact.guard import Guard
from torhaus.store.audit.discreet import DiscreetLedger
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.keys import audit_key
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.pseudonyms import NAME, People
from torhaus.store.audit.veiling import Veiling
from torhaus.store.audit.writer import LedgerSettings
from torhaus.store.state.database import NAME as STATE
from torhaus.store.state.database import Database
from torhaus.store.state.people import rename

Subject = Annotated[str, typer.Option("--subject", metavar="EMAIL", help="Who is forgotten.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept in the record of it.")]

RULE = "command line"


def erase(
    *, subject: Subject, reason: Why = "", config: ConfigFile = DEFAULT, data_dir: DataDir = None
) -> None:
    """Forget a person: nothing links the audit log's records to him any more.

    For records with pseudonyms (audit_logs.pseudonyms: on). His key is overwritten, rows of the
    state database get his pseudonym, and the records stay, so the log still verifies. There is no
    way back. Refused while a legal hold is in force.
    """
    loaded = read_or_exit(Reader(path=config, data_dir=data_dir))
    try:
        places = asyncio.run(_erased(loaded, subject, reason))
    except (LedgerError, StateError, ValueError) as error:
        refuse(f"Nobody was forgotten: {error}.")
    except OSError as error:
        refuse(f"Nobody was forgotten: {error.strerror}: {error.filename}.")
    say("Forgotten: the key of the pseudonym is destroyed.")
    say(f"The state database named the person in {counted(places, 'place')}.")
    if any(each.lower() == subject.lower() for each in loaded.rules.principals):
        say("The configuration still knows the address: later calls get a new pseudonym.", "yellow")
    say("Backups of audit/people.keys bring the person back: remove those as well.", "dim")


async def _erased(loaded: Loaded, subject: str, reason: str) -> int:
    """In how many places of the state database the person was named."""
    settings = loaded.settings
    people = _people(settings)
    as_owner_only(settings.data_dir / "audit")
    token = people.known(subject)
    if token is None:
        raise ValueError("the audit log has no pseudonym for this address, or no longer")
    _not_held(settings)
    ledger, records = _ledger(loaded, people, subject)
    ledger.start()
    try:
        act = Act(operation="audit.person_forgotten", facts={"subject": token, "reason": reason})
        await _note(records, _record(act))
        try:
            places = await _renamed(settings, subject, token)
            people.forget(subject)
        except (OSError, StateError) as error:
            await _note(records, _failed(act, str(error)))
            raise
    finally:
        await ledger.close()
    return places


def _people(settings: Settings) -> People:
    path = settings.data_dir / "audit" / NAME
    if not path.exists():
        raise ValueError(
            f"there is no {path}: records hold addresses as they are (audit_logs.pseudonyms: off) "
            "and go with the log's retention"
        )
    return People(settings.data_dir)


def _not_held(settings: Settings) -> None:
    reader = JournalReader(settings.data_dir / "audit")
    held = reader.now().holds
    if held:
        names = ", ".join(sorted(held))
        raise ValueError(f"the log is under legal hold ({names}); release it first")
    if reader.damaged:
        raise ValueError("the journal is damaged, so holds are unknown; run torhaus audit verify")


def _ledger(loaded: Loaded, people: People, subject: str) -> tuple[SegmentLedger, DiscreetLedger]:
    data = loaded.settings.data_dir
    journal = Journal(data / "audit", audit_key(data, os.urandom))
    ledger = SegmentLedger(data / "audit" / "hot", journal, LedgerSettings())
    guard = Guard(each.reveal() for each in loaded.secrets)
    known = frozenset((*loaded.rules.principals, subject))
    return ledger, DiscreetLedger(ledger, guard, Veiling(people, lambda: known))


def _record(act: Act) -> Record:
    return act_record(act, _who(), id=_id(), at=time.time(), rule=RULE, reason="asked for here")


def _failed(act: Act, why: str) -> Record:
    return failed_record(act, _who(), id=_id(), at=time.time(), rule=RULE, reason=why)


async def _note(records: DiscreetLedger, record: Record) -> None:
    durable = records.note(record)
    if durable is not None:
        await durable


def _who() -> RecordUser:
    """Whoever has the data directory's files in hand."""
    return RecordUser(f"{account()} on this machine", "system", "")


def _id() -> str:
    return "cmd_" + secrets.token_hex(10)


async def _renamed(settings: Settings, subject: str, token: str) -> int:
    url = settings.state_url
    if url is None and not (settings.data_dir / STATE).exists():
        return 0
    database = Database(None if url is None else url.reveal(), settings.data_dir)
    try:
        await database.open()
        async with database.write() as connection:
            return await rename(connection, subject, token)
    finally:
        await database.close()
