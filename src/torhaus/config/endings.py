"""Doubts about time: access that has ended, or that never begins."""

from datetime import UTC, datetime

from torhaus.config.people import People
from torhaus.config.schema import File
from torhaus.config.words import Words


def doubt(words: Words, file: File, who: People, now: float) -> None:
    """Warn of users and grants that are over. `now`: Unix seconds."""
    ends = {name: person.expires for name, person in who.persons.items()}
    for index, user in enumerate(file.users):
        end = ends.get(user.email)
        if end is not None and end <= now:
            message = f"this user's access ended at {_said(end)}"
            words.source.warn(("users", index, "expires"), message, "remove the user, or extend it")
    by_line = {grant.id: grant for grant in who.grants}
    for index, _ in enumerate(file.temporary_access):
        grant = by_line.get(f"file:{words.source.line(('temporary_access', index))}")
        if grant is None:
            continue
        end = ends.get(grant.user)
        if grant.ends <= now:
            message = f"this ended at {_said(grant.ends)}"
        elif end is not None and end <= grant.begins:
            message = f"this never begins: the user's own access ends at {_said(end)}"
        else:
            continue
        words.source.warn(("temporary_access", index, "valid_until"), message, "remove it")


def _said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
