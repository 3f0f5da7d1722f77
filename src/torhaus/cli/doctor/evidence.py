"""The proof of the audit log: who can read its key, whether the journal is whole, who keeps heads.

Segments and day files are for `torhaus audit verify`, which reads them all.
"""

import os
import shlex
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from torhaus.audit.attest import Attest, Keys
from torhaus.audit.catalogue import catalogue
from torhaus.audit.reconcile import contradictions
from torhaus.audit.signing import SignatureError
from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.cli.output import counted
from torhaus.config.settings import Settings
from torhaus.model.publishing import HeadBucket, HeadFile, HeadHook
from torhaus.store.audit.heads import NAME as HEAD
from torhaus.store.audit.heads import read_head
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.keys import NAME as KEY
from torhaus.store.audit.keys import keys_directory, public_keys
from torhaus.store.audit.verify import journal_lines

CHECK = "audit evidence"
FIX = "run torhaus audit verify, and find out who wrote to it"


def findings(settings: Settings) -> Iterator[Finding]:
    """All that can be said of the proof without reading every record. Changes nothing."""
    audit = settings.data_dir / "audit"
    if not settings.data_dir.is_dir():
        return
    yield _key(settings.data_dir / KEY)
    try:
        keys = public_keys(keys_directory(audit))
        yield _journal(audit, keys, settings)
    except OSError as error:
        yield bad(CHECK, f"{error.filename} cannot be read: {error.strerror}", "run as its owner")
    except ValueError as error:
        yield bad(CHECK, str(error), "restore it from a backup")
    yield _published(settings)


def _key(path: Path) -> Finding:
    check = "audit key"
    try:
        found = path.lstat()
    except FileNotFoundError:
        return good(check, f"{path} is made at the first start")
    except OSError as error:
        return bad(check, f"{path} cannot be read: {error.strerror}", "run as its owner")
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        return bad(check, f"{path} is not a plain file", "put the key itself there")
    if mode & 0o077:
        fix = f"chmod 600 {shlex.quote(str(path))}; who read it can forge the audit log"
        return bad(check, f"{path} is open to others ({mode:04o})", fix)
    return good(check, f"{path} is its owner's alone ({mode:04o})")


def _journal(audit: Path, keys: Keys, settings: Settings) -> Finding:
    attest = Attest(keys)
    for line in journal_lines(audit):
        attest.line(line)
    faults = [*attest.faults, *contradictions(attest.entries)]
    for path in _heads(audit, settings):
        try:
            faults += attest.head(read_head(path, keys))
        except FileNotFoundError:
            continue
        except SignatureError as error:
            return bad(CHECK, f"{path} cannot be used: {error}", FIX)
    if faults:
        more = f", and {counted(len(faults) - 1, 'more fault')}" if len(faults) > 1 else ""
        return bad(CHECK, f"the journal: {faults[0]}{more}", FIX)
    found = catalogue(attest.entries)
    if found.broken:
        name, sealed = min(found.broken.items())
        return bad(CHECK, f"{name} is not what was written: {sealed.why}", FIX)
    gone = [name for name in (*found.sealed, *found.begun) if not _there(audit, name)]
    if gone:  # or made part of a day file a moment ago
        gone = [name for name in gone if name not in JournalReader(audit).now().compacted]
    if gone:
        return bad(CHECK, f"{counted(len(gone), 'segment')} missing, {min(gone)} first", FIX)
    told = f"{counted(attest.lines, 'line')} of the journal are signed and linked"
    return good(CHECK, told)


def _heads(audit: Path, settings: Settings) -> Iterator[Path]:
    yield audit / HEAD
    for each in settings.audit.publish:
        if isinstance(each, HeadFile):
            yield Path(each.path)


def _there(audit: Path, name: str) -> bool:
    return os.path.lexists(audit / "hot" / name)


def _published(settings: Settings) -> Finding:
    check = "published heads"
    places = settings.audit.publish
    if not places:
        fix = "add audit_logs.publish, or keep what torhaus audit verify prints elsewhere"
        return doubt(check, "whoever owns this machine could cut off the end of the journal", fix)
    inside = [
        each.path
        for each in places
        if isinstance(each, HeadFile)
        and Path(each.path).resolve().is_relative_to(settings.data_dir.resolve())
    ]
    if inside:
        fix = "name a path on a disk that others look after"
        return doubt(check, f"{inside[0]} is beside the journal, and goes with it", fix)
    kinds = {HeadFile: "file", HeadHook: "webhook", HeadBucket: "bucket"}
    counts = Counter(kinds[type(each)] for each in places)
    parts = [counted(count, kind) for kind, count in counts.items()]
    return good(check, f"kept by {' and '.join(parts)}")
