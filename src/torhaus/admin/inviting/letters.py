"""The letter of an invitation, in German and English. Pure; nothing in it is a template."""

from torhaus.audit.shape import timestamp
from torhaus.model.accounts import Invitation
from torhaus.model.letters import Letter

SUBJECT = "Einladung zu Torhaus / Invitation to Torhaus"


def invitation_letter(invitation: Invitation, link: str) -> Letter:
    """What others have written stands in it behind `> `, a line each, and is text alone."""
    until = timestamp(invitation.expires)[:16].replace("T", " ")
    text = f"""\
{invitation.created_by} lädt dich ein, Torhaus zu benutzen.
Öffne diesen Link bis {until} (UTC); er gilt einmal und nur für {invitation.email}:

{link}

{invitation.created_by} invites you to use Torhaus.
Open this link by {until} (UTC); it is good once, and for {invitation.email} alone:

{link}
"""
    said = "".join(f"> {line}\n" for line in invitation.message.splitlines())
    return Letter(to=invitation.email, subject=SUBJECT, text=f"{text}\n{said}" if said else text)
