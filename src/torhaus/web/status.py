"""The page `/status`: what works, for the people who wonder."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from types import MappingProxyType

import msgspec

from torhaus import __version__
from torhaus.model.health import Health
from torhaus.model.publishing import NO_EVIDENCE, Evidence


class ServerState(msgspec.Struct, frozen=True):
    """`state`: a `Condition`, maybe with `: <sentence>` behind it. Moments in Unix seconds."""

    name: str
    state: str
    since: float | None = None
    next_try: float | None = None

    @classmethod
    def of(cls, name: str, health: Health) -> "ServerState":
        return cls(name, health.state, health.since, health.next_try)

    @property
    def word(self) -> str:
        return self.state.partition(":")[0]

    @property
    def well(self) -> bool:
        return self.word in WELL


WORDS = {
    "ready": ("ok", "working"),
    "idle": ("rest", "not used yet"),
    "starting": ("rest", "starting"),
    "slow": ("rest", "slow"),
    "failing": ("rest", "its last calls failed"),
    "credential refused": ("bad", "refuses the credential of the gateway"),
}
"""State -> CSS class and what people read. Every other state is trouble."""
WELL = frozenset(("ready", "idle", "starting"))
SHAKY = frozenset(("slow", "failing"))

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4;
  --paper: #fbfbfa; --ok: #1a7f4b; --bad: #b42318; --rest: #8a6d1f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4b0; --line: #2c333b;
  --paper: #14171a; --ok: #4cc38a; --bad: #ff7a6b; --rest: #d6b55e; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
p { color: var(--soft); margin: .25rem 0 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .6rem .5rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .85rem; color: var(--soft); }
.ok { color: var(--ok); } .bad { color: var(--bad); } .rest { color: var(--rest); }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Torhaus status</title>
<style>{style}</style>
<main>
<h1>{headline}</h1>
<p>Torhaus {version}, running since {started}.</p>
{trouble}<table>
<thead><tr><th scope="col">Server<th scope="col">State</thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</html>
"""

REFUSED = (
    '<p class="bad">The last change of the configuration was refused; the old one holds.</p>\n'
)
LOST = '<p class="bad">Since the start, {lost} calls went on without an audit record.</p>\n'
DOUBTED = '<p class="bad">The proof of the audit log is not in order.</p>\n'
SILENT = (
    '<p class="rest">{silent} of {count} places that keep the proof of the audit log do not '
    "answer.</p>\n"
)
PUBLISHED = "<p>The proof of the audit log is kept in {count} besides here.</p>\n"
FILES_WAIT = (
    '<p class="rest">Audit records cannot be moved or ended as configured; none is lost.</p>\n'
)
UNCONFINED = (
    '<p class="rest">This kernel has no Landlock: what audit queries read is held back without '
    "it.</p>\n"
)
ALONE = '<p class="rest">What gateways share (Redis) does not answer; each works alone.</p>\n'


def page(  # noqa: PLR0913 - one argument for each thing it shows
    states: Sequence[ServerState],
    *,
    audit_healthy: bool,
    config_refused: bool,
    started: str,
    shared_lost: bool = False,
    audit_lost: int | None = None,
    late_sinks: Mapping[str, str] = MappingProxyType({}),
    evidence: Evidence = NO_EVIDENCE,
    files_wait: bool = False,
    confined: bool = True,
) -> str:
    """HTML. Why a server is down is for administrators and stays in the log.

    `audit_lost`: calls without a record; None where there are no calls without one.
    """
    troubles = (
        REFUSED if config_refused else "",
        ALONE if shared_lost else "",
        LOST.format(lost=audit_lost) if audit_lost else "",
        *(_late(name, word) for name, word in late_sinks.items()),
        _evidence(evidence),
        FILES_WAIT if files_wait else "",
        "" if confined else UNCONFINED,
    )
    refused = not audit_healthy and audit_lost is None
    rows = "\n".join(_row(each) for each in states)
    return PAGE.format(
        style=STYLE,
        headline=escape(_headline(states, audit_refuses=refused)),
        version=escape(__version__),
        started=escape(started),
        trouble="".join(troubles),
        rows=rows or '<tr><td colspan="2">No servers are configured.</tr>',
    )


def _late(name: str, word: str) -> str:
    return f'<p class="rest">Audit records: the sink {escape(name)} {escape(word)}.</p>\n'


def _evidence(found: Evidence) -> str:
    """Where heads go is for administrators; whether somebody keeps them is for everyone."""
    if found.trouble is not None:
        return DOUBTED
    if not found.published:
        return ""
    silent = sum(1 for each in found.published if each.trouble is not None)
    count = len(found.published)
    if silent:
        return SILENT.format(silent=silent, count=count)
    return PUBLISHED.format(count=f"{count} place{'' if count == 1 else 's'}")


def _headline(states: Sequence[ServerState], *, audit_refuses: bool) -> str:
    if audit_refuses:
        return "The audit log cannot be written, so calls are refused."
    down = sum(1 for each in states if not each.well and each.word not in SHAKY)
    if down:
        return f"{down} of {len(states)} servers cannot be used."
    shaky = sum(1 for each in states if not each.well)
    if shaky:
        return f"{shaky} of {len(states)} servers work badly."
    return "Everything is working."


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def _row(server: ServerState) -> str:
    kind, text = WORDS.get(server.word, ("bad", "cannot be reached"))
    if server.since is not None and not server.well:
        text += f" since {_clock(server.since)}"
    if server.next_try is not None:
        text += f", next try {_clock(server.next_try)}"
    return f'<tr><td>{escape(server.name)}<td class="{kind}">{escape(text)}</tr>'
