"""Announcements as letters, to the people they are for."""

from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from torhaus.model.announcement import Announcement, Kind
from torhaus.model.letters import Letter, MailError, MailServer, Postman
from torhaus.model.rules import Rules
from torhaus.policy.approvers import named

log = structlog.get_logger()

MOST = 50
"""People that one announcement is mailed to."""
SUBJECTS: Mapping[Kind, str] = {
    Kind.APPROVAL_REQUESTED: "A call waits for approval / Ein Aufruf wartet auf Freigabe",
    Kind.APPROVAL_DECIDED: "Your request was decided / Deine Anfrage ist entschieden",
    Kind.ACCESS_REQUESTED: "Access is asked for / Zugriff ist beantragt",
    Kind.ACCESS_DECIDED: "Access was decided / Über Zugriff ist entschieden",
    Kind.ACCESS_EXPIRING: "Access ends soon / Zugriff endet bald",
    Kind.TOOL_NEW: "A new tool / Ein neues Werkzeug",
    Kind.TOOL_CHANGED: "A tool has changed / Ein Werkzeug hat sich geändert",
    Kind.BUDGET: "A budget is used up / Ein Budget ist aufgebraucht",
    Kind.TOKEN_REUSED: "A token was used twice / Ein Token kam zweimal",
    Kind.STOP_ENDED: "A stop has ended / Ein Stopp ist zu Ende",
    Kind.PERSON: "An address was changed / Eine Adresse hat sich geändert",
    Kind.CREDENTIAL: "A credential needs you / Ein Zugang braucht dich",
}


class EmailNotifier:
    """`counts`: how many letters were `sent` and how many `failed`."""

    def __init__(
        self,
        postman: Postman,
        server: MailServer,
        rules: Callable[[], Rules],
        clock: Callable[[], float],
        counts: Counter[str],
    ) -> None:
        self._postman = postman
        self._server = server
        self._rules = rules
        self._clock = clock
        self._counts = counts

    async def tell(self, announcement: Announcement) -> None:
        server = str(announcement.facts.get("server", "*"))
        found = addresses(announcement.to, self._rules(), self._clock(), server)
        for address in found[:MOST]:
            try:
                await self._postman.send(self._server, letter(announcement, address))
            except MailError as error:
                self._counts["failed"] += 1
                log.warning("notice.failed", kind=announcement.kind.value, reason=str(error))
            else:
                self._counts["sent"] += 1


def addresses(to: tuple[str, ...], rules: Rules, now: float, server: str = "*") -> list[str]:
    """Of the people that roles, groups and addresses name, each once. `server`: it is about it."""
    direct = dict.fromkeys(name for name in to if "@" in name)
    names = tuple(name for name in to if "@" not in name)
    if names:
        for each in rules.principals.values():
            if "@" in each.email and named(each, names, now, server):
                direct[each.email] = None
    return list(direct)


def letter(announcement: Announcement, address: str) -> Letter:
    """What callers have written is in none of it but the sentence, which is text alone."""
    link = f"\n{announcement.link}\n" if announcement.link else ""
    subject = f"Torhaus: {SUBJECTS[announcement.kind]}"
    return Letter(to=address, subject=subject, text=f"{announcement.text}\n{link}")
