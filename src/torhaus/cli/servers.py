"""`torhaus servers`: how the servers behind a running gateway are doing."""

from typing import Any

from rich.text import Text

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.ending import shown
from torhaus.cli.output import columns, say, say_json
from torhaus.cli.reading import AsJson

_STYLES = {
    "ready": "green",
    "idle": "dim",
    "starting": "dim",
    "slow": "yellow",
    "failing": "yellow",
}


def servers(*, url: Url = LOCAL, key: Key = None, json: AsJson = False) -> None:
    """List the servers that you administer: state, transport, tools, what went wrong last."""
    found = asked(lambda at: at.get("servers"), url, key)
    if json:
        say_json(found)
        return
    if not found:
        say("No servers are configured.")
        return
    heads = [Text(word, "dim") for word in ("server", "state", "transport", "tools", "last error")]
    say(columns([heads, *(_row(each) for each in found)]))


def _row(found: dict[str, Any]) -> list[str | Text]:
    state = Text(found["state"], _STYLES.get(found["state"], "red"))
    return [found["name"], state, found["transport"], str(found["tools"]), _trouble(found)]


def _trouble(found: dict[str, Any]) -> str:
    if found["error"] is None:
        return "-"
    told = f"{_moment(found['error_at'])} {found['error']}"
    if found["next_try"] is not None:
        told += f"; down since {_moment(found['since'])}, next try {_moment(found['next_try'])}"
    return told


def _moment(text: str) -> str:
    """Without the year: `01-01 11:59:00 UTC`."""
    return shown(text)[5:]
