"""`torhaus invite`, and `torhaus invitations`: people who are asked in."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from torhaus.cli.api import LOCAL, Api, Key, Url, asked
from torhaus.cli.client import GatewayError
from torhaus.cli.ending import ending, shown
from torhaus.cli.output import columns, misused, printable, say, say_json
from torhaus.cli.reading import AsJson
from torhaus.cli.users import Servers, names
from torhaus.config.amounts import seconds
from torhaus.config.problems import FaultError

MOST = 10_000
Role = Annotated[list[str] | None, typer.Option(help="A role; give it again for more.")]
Expires = Annotated[str, typer.Option(metavar="TIME", help="How long the link is good.")]
Link = Annotated[bool, typer.Option("--link", help="Print the link instead of mailing it.")]
Id = Annotated[str, typer.Argument(help="As torhaus invitations list shows it.")]


def invite(  # noqa: PLR0913 -- one argument for each option
    *,
    emails: Annotated[list[str] | None, typer.Argument(metavar="EMAIL...", help="Who.")] = None,
    role: Role = None,
    servers: Servers = None,
    expires: Expires = "7d",
    access_ends: Annotated[
        str | None, typer.Option(metavar="DAY", help="The last day of access, or a moment.")
    ] = None,
    message: Annotated[str, typer.Option(help="Goes into the letter.")] = "",
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="CSV: email, role, servers, access_ends."),
    ] = None,
    link: Link = False,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Ask people in, by mail or by a link. A line for each says what became of it."""
    common = {
        "roles": role or [],
        "servers": names(servers),
        "lasts": _lasting(expires),
        "access_ends": _end(access_ends),
        "message": message,
        "link": link,
    }
    wishes = [{**common, "email": each} for each in emails or ()]
    wishes += [] if file is None else list(_lines(file, common))
    if not wishes:
        misused("name an address, or a file with --from")
    told = asked(lambda at: [_one(at, each) for each in wishes], url, key)
    if json:
        say_json(told)
    else:
        say("\n".join(printable(_said(each)) for each in told))
    if any("trouble" in each for each in told):
        raise typer.Exit(1)


def list_(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Those who were asked in, the newest first."""
    found = asked(lambda at: at.get("invitations"), url, key)
    if json:
        say_json(found)
        return
    rows = [_row(each) for each in found]
    say(columns(rows) if rows else "Nobody was asked in, or you may not see it.")


def revoke(*, id: Id, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """Take an invitation back; its link is over."""
    found = asked(lambda at: at.post("invitations", id, "revoke"), url, key)
    if json:
        say_json(found)
        return
    say(printable(f"{found['email']} is not invited any more."))


def resend(
    *,
    id: Id,
    expires: Expires = "7d",
    link: Link = False,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Send another link; that of before is over."""
    body = {"lasts": _lasting(expires), "link": link}
    found = asked(lambda at: at.post("invitations", id, "resend", body=body), url, key)
    if json:
        say_json(found)
        return
    say(printable(_said(found)))


def _one(at: Api, wish: dict[str, Any]) -> dict[str, Any]:
    """What became of it; one that is refused does not end the others."""
    try:
        found: dict[str, Any] = at.post("invitations", body=wish)
    except GatewayError as error:
        return {"email": wish["email"], "trouble": str(error)}
    return found


def _lines(file: Path, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A line each; a column that is missing or empty is as the options say."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, ValueError, csv.Error) as error:
        misused(f"{file}: {error}")
    if len(rows) > MOST or (rows and "email" not in rows[0]):
        misused(f"{file}: the first line names columns, email among them; at most {MOST} lines")
    for row in rows:
        wish = {**common, "email": (row.get("email") or "").strip()}
        if row.get("role"):
            wish["roles"] = names(row["role"])
        if row.get("servers"):
            wish["servers"] = names(row["servers"])
        if row.get("access_ends"):
            wish["access_ends"] = _end(row["access_ends"])
        yield wish


def _lasting(text: str) -> float:
    try:
        return seconds(text)
    except FaultError:
        misused("--expires is a time such as 7d or 48h")


def _end(text: str | None) -> str | None:
    """A day counts to its end, as in the file."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ending(text, None)
    return datetime.combine(day + timedelta(days=1), datetime.min.time()).astimezone().isoformat()


def _said(found: dict[str, Any]) -> str:
    if "trouble" in found:
        return f"{found['email']}: not invited: {found['trouble']}"
    if found["link"]:
        return f"{found['email']}: {found['link']}"
    return f"{found['email']}: {found['delivery']}"


def _row(found: dict[str, Any]) -> list[str]:
    return [
        found["id"],
        printable(found["email"]),
        found["state"],
        ", ".join(found["roles"]),
        shown(found["expires"]),
        found["delivery"],
    ]
