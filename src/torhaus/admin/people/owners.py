"""Whose a record is: only its owner changes it. Pure."""

from torhaus.admin.acts import Refusal
from torhaus.audit.acts import Act
from torhaus.model.person import DATABASE, FILE, Person
from torhaus.model.rules import Rules


def of_file(rules: Rules, email: str, row: Person | None) -> bool:
    """Whether the file says what somebody may, whatever the database has of him."""
    return row is None or row.owner == FILE or email in rules.filed


def elsewhere(rules: Rules, email: str, row: Person | None, tried: Act) -> Refusal | None:
    """Why what somebody may is not changed here; None for people of the database."""
    if row is None or of_file(rules, email, row):
        fix = "change users in the configuration"
        return Refusal("conflict", "the file says what this person may", tried, fix)
    if row.owner != DATABASE:
        fix = "change this person there"
        return Refusal("conflict", f"{row.owner} says what this person may", tried, fix)
    return None
