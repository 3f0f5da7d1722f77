"""The page where one call is looked at and decided. No script; everything shown is escaped."""

import json
from html import escape

from torhaus.audit.shape import timestamp
from torhaus.model.approval import Approval, State
from torhaus.web.approval_words import Words

SAFE = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # The link's token must not travel on; without any referrer, browsers hide the form's origin.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4;
  --paper: #fbfbfa; --mark: #eef1f5; --yes: #1a7f4b; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4b0; --line: #2c333b;
  --paper: #14171a; --mark: #1d2227; --yes: #2e9e64; --bad: #ff7a6b; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--mark); padding: .75rem; overflow: auto; max-height: 28rem;
  white-space: pre-wrap; overflow-wrap: anywhere; border-radius: .375rem; }
form { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: 1.25rem; }
label { display: block; margin: .75rem 0 .25rem; }
input, textarea { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem;
  color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .375rem; }
small { color: var(--soft); }
button { font: inherit; padding: .5rem 1rem; margin: 1rem .5rem 0 0; border-radius: .375rem;
  border: 1px solid var(--line); background: var(--mark); color: inherit; cursor: pointer; }
button.yes { background: var(--yes); border-color: var(--yes); color: #fff; }
.said { font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
"""


def decision(approval: Approval, words: Words, *, form: str | None, said: str = "") -> str:
    """HTML. `form`: the form's token; None where there is nothing to decide any more.

    `said`: why the last try was refused.
    """
    asks = escape(words["asks"].format(requester=_visible(approval.wanted.email)))
    inside = f"<p>{asks}</p>\n{_facts(approval, words)}"
    if said:
        inside += f'<p class="bad" role="alert">{escape(words["refused"])}: {escape(said)}</p>\n'
    if form is not None:
        inside += _form(form, words)
    return _page(words, words["title"], inside)


def decided(state: State, words: Words) -> str:
    return _page(
        words, words["title"], f'<p class="said">{escape(words[f"done_{state.value}"])}</p>\n'
    )


def broken(words: Words, text: str = "") -> str:
    """For links that lead nowhere."""
    said = escape(text or words["no_link_text"])
    return _page(words, words["no_link"], f"<p>{said}</p>\n")


def _page(words: Words, title: str, inside: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{words["lang"]}">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)} | Torhaus</title>\n<style>{STYLE}</style>\n"
        f"<main>\n<h1>{escape(title)}</h1>\n{inside}</main>\n</html>\n"
    )


def _facts(approval: Approval, words: Words) -> str:
    wanted = approval.wanted
    rows = [
        ("server", wanted.server),
        ("tool", wanted.tool),
        ("policy", wanted.policy),
        ("reason", wanted.reason),
        ("created", _time(approval.created)),
        ("expires", _time(approval.expires)),
        ("state", words[approval.state.value]),
        ("decided_by", approval.decided_by or ""),
        ("comment", approval.comment),
    ]
    listed = "".join(
        f"<dt>{escape(words[name])}</dt><dd>{escape(_visible(value))}</dd>\n"
        for name, value in rows
        if value
    )
    shown = escape(_visible(_indented(wanted.arguments)))
    return f"<dl>\n{listed}</dl>\n<p>{escape(words['arguments'])}</p>\n<pre>{shown}</pre>\n"


def _form(form: str, words: Words) -> str:
    """It is posted to the page's own address, which holds the link's token."""
    return (
        '<form method="post" autocomplete="off">\n'
        f'<input type="hidden" name="form" value="{escape(form)}">\n'
        f'<label for="key">{escape(words["key"])}</label>\n'
        '<input id="key" name="key" type="password" autocomplete="off" required '
        'maxlength="512" aria-describedby="key-hint">\n'
        f'<small id="key-hint">{escape(words["key_hint"])}</small>\n'
        f'<label for="comment">{escape(words["comment"])}</label>\n'
        '<textarea id="comment" name="comment" rows="2" maxlength="1000"></textarea>\n'
        f"<small>{escape(words['once'])}</small><br>\n"
        '<button class="yes" name="decision" value="approve">'
        f"{escape(words['approve'])}</button>\n"
        f'<button name="decision" value="deny">{escape(words["deny"])}</button>\n</form>\n'
    )


def _time(at: float) -> str:
    return timestamp(at)[:19].replace("T", " ") + " UTC"


def _indented(text: str) -> str:
    """JSON in lines; what is none, or too deep, as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _visible(text: str) -> str:
    r"""What would hide or reorder what is approved (controls, bidi marks) becomes `\uXXXX`."""
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\u{ord(each):04x}" for each in text
    )
