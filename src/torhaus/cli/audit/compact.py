"""`torhaus audit compact`: sealed segments become day files now."""

import time
from typing import Any

import typer

from torhaus.cli.audit.depots import depot
from torhaus.cli.audit.offline import noted
from torhaus.cli.output import NO, complain, counted, printable, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader, read_or_exit
from torhaus.store.audit.staying import staying
from torhaus.store.audit.tiers.upkeep import COMPACTION, Upkeep

SEALED = "it is sealed at audit_logs.segment's size or age, or when its gateway ends"


def compact(
    *, config: ConfigFile = DEFAULT, data_dir: DataDir = None, json: AsJson = False
) -> None:
    """Make day files of sealed segments now, and one of each day that is over.

    A gateway does this by itself every hour, and may run meanwhile. Nothing is moved or deleted.
    """
    settings = read_or_exit(Reader(path=config, data_dir=data_dir)).settings
    work = depot(settings)
    upkeep = Upkeep(
        work,
        settings.retention,
        settings.bucket,
        awaited=lambda now: staying(work.audit, settings.audit, now),
    )
    upkeep.look()
    before = upkeep.standing
    if not upkeep.round(time.time(), COMPACTION):
        refuse("Another process works on these files; try again in a minute.")
    after = upkeep.standing
    done = before.waiting.records - after.waiting.records
    facts: dict[str, Any] = {
        "records": done,
        "waiting": after.waiting.files,
        "refused": upkeep.refused,
        "trouble": after.trouble,
    }
    why = noted(settings.data_dir, "audit.compacted", _told(facts))
    if why is not None:
        complain(printable(f"This is not in the audit log: {why}."), "yellow")
    if json:
        say_json(facts)
    else:
        say(f"{counted(done, 'record')} went to day files.")
        if after.trouble is None and (left := len(work.catalogue().begun)):
            say(f"{counted(left, 'segment')} still written: {SEALED}.", "dim")
        for name, why in upkeep.refused.items():
            complain(printable(f"{name} stays: {why}"))
        if after.trouble is not None and not upkeep.refused:
            complain(printable(after.trouble))
    if after.trouble is not None:
        raise typer.Exit(NO)


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """What a record says of it."""
    return {
        "records": facts["records"],
        "waiting": facts["waiting"],
        "stay": sorted(facts["refused"]),
    }
