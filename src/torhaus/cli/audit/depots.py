"""The audit log's files, as commands that need no running gateway see them."""

import os
import pwd
import shlex
from pathlib import Path

from torhaus.cli.output import refuse
from torhaus.config.settings import Settings
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.keys import audit_key
from torhaus.store.audit.tiers.depot import Depot, shelves
from torhaus.store.audit.tiers.errand import Errand


def existing(settings: Settings) -> Path:
    """`data/audit`; or a sentence, and exit code 1."""
    audit = settings.data_dir / "audit"
    if not audit.is_dir():
        refuse(f"There is no audit log in {audit}; name the gateway's directory: --data-dir DIR.")
    return audit


def as_owner_only(directory: Path) -> None:
    """What another account leaves there the gateway could not read: a sentence, and exit code 1."""
    owner = directory.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    who = shlex.quote(name)
    refuse(f"{directory} belongs to {name}: do this as that account, sudo -u {who} torhaus ...")


def depot(settings: Settings) -> Depot:
    """To work on; or a sentence, and exit code 1."""
    audit = existing(settings)
    as_owner_only(audit)
    try:
        key = audit_key(settings.data_dir, os.urandom)
    except (OSError, ValueError) as error:
        refuse(f"The journal's key cannot be read: {error}.")
    return Depot(
        audit=audit,
        journal=Journal(audit, key),
        reader=JournalReader(audit),
        shelves=shelves(audit, settings.bucket),
        convert=Errand(),
    )
