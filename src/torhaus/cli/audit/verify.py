"""`torhaus audit verify`: whether every record is as it was written, and still there."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from torhaus.audit.signing import SignatureError, key_id
from torhaus.cli.output import NO, columns, complain, counted, misused, refuse, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.model.evidence import JournalHead
from torhaus.store.audit.heads import NAME as HEAD
from torhaus.store.audit.heads import read_head
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.keys import keys_directory, public_key, public_keys
from torhaus.store.audit.verify import Note, Report, Trouble, Wanted
from torhaus.store.audit.verify import verify as verified

_SINCE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?")
_MOST = 50
"""Troubles that are printed for people; --json has them all."""

Data = Annotated[Path, typer.Option(metavar="DIR", help="Where data is kept.")]
Since = Annotated[
    str, typer.Option(metavar="TIME", help="Leave out what ended before: 2025-10-20[T14:00Z].")
]
Heads = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="A head that was published; may be given again."),
]
Named = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="FILE", help="Believe this public key alone; may be repeated."),
]


def verify(
    *,
    since: Since = "",
    head: Heads = None,
    key: Named = None,
    data_dir: Data = Path("data"),
    json: AsJson = False,
) -> None:
    """Verify that no audit record was changed, added or removed.

    Exit code 1 when something is wrong: each file and line is named.
    """
    if since and _SINCE.fullmatch(since) is None:
        misused("--since takes a day or a time in UTC: 2025-10-20, or 2025-10-20T14:00Z.")
    audit = data_dir / "audit"
    if not audit.is_dir():
        refuse(f"There is no audit log in {audit}; name the gateway's directory: --data-dir DIR.")
    try:
        keys = _keys(audit, key)
        heads, spoiled = _heads(audit, head or [], keys)
        progress = _tell if sys.stderr.isatty() and not json else lambda _name: None
        wanted = Wanted(
            keys=keys,
            several=key is not None,
            heads=heads,
            since=since.rstrip("Z"),
            progress=progress,
        )
        report = verified(audit, wanted)
    except OSError as error:
        refuse(f"The audit log cannot be read: {error.strerror}: {error.filename}.")
    except ValueError as error:
        refuse(f"Not verified: {error}.")
    report.troubles[:0] = spoiled
    if report.lines and not (audit / HEAD).is_file():
        report.notes.append(Note(HEAD, "it is missing: whatever it told of may be cut off"))
    _print(report, heads, json=json)
    if report.troubles:
        raise typer.Exit(NO)


def _keys(audit: Path, named: list[Path] | None) -> dict[str, Ed25519PublicKey]:
    if named is None:
        return public_keys(keys_directory(audit))
    return {key_id(each): each for each in map(public_key, named)}


def _heads(
    audit: Path, published: list[Path], keys: Mapping[str, Ed25519PublicKey]
) -> tuple[dict[str, JournalHead], list[Trouble]]:
    """The one beside the journal, if it is there, and those that were named."""
    heads, spoiled = {}, []
    own = [audit / HEAD] if (audit / HEAD).is_file() else []
    for path in (*own, *published):
        name = HEAD if path in own else str(path)
        try:
            heads[name] = read_head(path, keys)
        except SignatureError as error:
            spoiled.append(Trouble(name, 0, f"this head cannot be used: {error}"))
    return heads, spoiled


def _tell(name: str) -> None:
    complain(f"verifying {name}", "dim")


def _print(report: Report, heads: Mapping[str, JournalHead], *, json: bool) -> None:
    if json:
        say_json({"ok": not report.troubles, "heads": list(heads), "report": report})
        return
    for note in report.notes:
        say(columns([["note", note.where, note.what]]), "dim")
    for each in report.troubles[:_MOST]:
        where = f"{each.where}, line {each.line}" if each.line else each.where
        say(columns([["fail", where, each.what]]), "bold red")
    if len(report.troubles) > _MOST:
        say(f"... and {len(report.troubles) - _MOST} more; --json prints all.", "bold red")
    say(_sum(report))
    if report.troubles:
        complain(f"The audit log is NOT in order: {counted(len(report.troubles), 'fault')}.", "red")
        return
    say(f"In order. Newest line of {JOURNAL}: {report.lines} {report.digest or '(none)'}", "green")
    for id in report.keys:
        say(f"Signed by {id}", "dim")
    if set(heads) <= {HEAD}:
        said = "No head from elsewhere was compared, so a cut end of the journal may go unnoticed:"
        say(f"{said} audit_logs.publish, --head FILE.", "dim")


def _sum(report: Report) -> str:
    parts = [
        counted(report.lines, "line") + " of the journal",
        f"{counted(report.records, 'record')} in {counted(report.sealed + report.live, 'segment')}",
        counted(report.days, "day file"),
    ]
    if report.elsewhere:
        parts.append(f"not looked at: {counted(report.elsewhere, 'day file')} in a bucket")
    if report.left_out:
        parts.append(f"left out by --since: {counted(report.left_out, 'file')}")
    return "; ".join(parts) + "."
