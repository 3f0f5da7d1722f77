"""Secrets that must not get out, and everything a gateway writes or tells, to look for them in."""

import json
import secrets
import urllib.request
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import duckdb

from tests.stories.consent import fetched
from tests.stories.town import KEYS, Town
from tests.stories.upstream import Talk
from tests.torhaus.cli.terminal import torhaus
from torhaus.redact.spellings import spellings

UPSTREAM = "up-" + secrets.token_hex(16)
HOOK = "hook-" + secrets.token_hex(16)
PIN = "7" + "".join(secrets.choice("0123456789") for _ in range(15))
RELOADED = "next-" + secrets.token_hex(16)
FOREIGN = "ghp" + "_" + secrets.token_hex(18)
"""Of somebody else: known by its shape alone."""

OWN = (UPSTREAM, HOOK, PIN, RELOADED, *KEYS.values())
ENVIRONMENT = {"UPSTREAM_TOKEN": UPSTREAM, "HOOK_SECRET": HOOK, "PIN": PIN}


def shown(talk: Talk) -> str:
    """What a careless server repeats of a request."""
    return talk.seen.headers.get("authorization", "nothing")


def refused(talk: Talk) -> None:
    error = {"code": -32001, "message": f"401 for {shown(talk)}", "data": {UPSTREAM: [FOREIGN]}}
    talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "error": error}))


def broken(talk: Talk) -> None:
    talk.answer(f"<h1>{shown(talk)}</h1>", status="HTTP/1.1 500 Error\r\n", head="x-a: b\r\n")


def denied(talk: Talk) -> None:
    head = f'www-authenticate: Bearer error="{UPSTREAM}"\r\n'
    talk.answer(f'{{"error":"{FOREIGN}"}}', status="HTTP/1.1 401 No\r\n", head=head)


def nonsense(talk: Talk) -> None:
    talk.answer(f'{{"jsonrpc":"2.0","id":{json.dumps(talk.id)},"result":"{UPSTREAM}')


RESULT = "result-" + secrets.token_hex(16)
"""What a server answers: no secret, and nobody's business afterwards."""


def repeated(talk: Talk) -> None:
    """A good answer, and a notice before it, in which a server tells how it was asked."""
    headers = talk.seen.headers
    talk.stream()
    talk.event(talk.note(f"asked with {shown(talk)}"))
    said = {"content": [{"type": "text", "text": json.dumps(headers)}], UPSTREAM: [int(PIN)]}
    talk.event(talk.message({**said, "structuredContent": {"env": headers}}))
    talk.close()


def told(talk: Talk) -> None:
    talk.answer(talk.message({"content": [{"type": "text", "text": RESULT}], RESULT: [RESULT]}))


def failed(talk: Talk) -> None:
    talk.answer(talk.message({"content": [{"type": "text", "text": RESULT}], "isError": True}))


def wrong(talk: Talk) -> None:
    error = {"code": 7, "message": RESULT, "data": {"x": RESULT}}
    talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "error": error}))


LEAKY = {
    "get_refused": refused,
    "get_broken": broken,
    "get_denied": denied,
    "get_nonsense": nonsense,
    "get_repeated": repeated,
}
TRICKS = {**LEAKY, "get_told": told, "get_failed": failed, "get_wrong": wrong}


def encoded(secret: str) -> str:
    return b64encode(f"alice:{secret}".encode()).decode()


def escaped(secret: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in secret)


def found(text: str, where: str) -> list[str]:
    """Where something of a secret is left, in any spelling."""
    low = text.lower()
    every = {each for secret in OWN for each in spellings(secret)} | {FOREIGN}
    return [f"{each} in {where}" for each in sorted(every) if each.lower() in low]


def everywhere(town: Town, *told: str) -> dict[str, str]:
    """All that is written down or told, by where. `told`: what callers and administrators got."""
    here = f"http://127.0.0.1:{town.port}"
    places = {
        f"file {path.relative_to(town.data)}": path.read_bytes().decode("utf-8", "replace")
        for path in town.data.rglob("*")
        if path.is_file() and "audit" in path.parts and path.suffix != ".pub"
    }
    places["log"] = town.output()
    for page in ("/metrics", "/status", "/ready", "/health"):
        places[page] = fetched(here + page)[1]
    for path in ("access-requests", "approvals", "grants", "tools", "costs", "limits", "cache"):
        asked = urllib.request.Request(
            f"{here}/api/v1/{path}", headers={"apikey": KEYS["ALICE_KEY"]}
        )
        places[f"/api/v1/{path}"] = fetched(asked)[1]
    places |= {f"export {kind}": exported(town, kind) for kind in ("jsonl", "csv", "parquet")}
    places["tail"] = torhaus("audit", "tail", "-n", "1000", at=town.home).out
    return {**places, **{f"answer {number}": each for number, each in enumerate(told)}}


def exported(town: Town, kind: str) -> str:
    path = town.home / f"log.{kind}"
    said = torhaus("audit", "export", "--format", kind, "--out", str(path), "--force", at=town.home)
    assert said.code == 0, said.err
    return read(path) if kind == "parquet" else path.read_text()


def read(path: Path) -> str:
    """A Parquet file as text: it is compressed."""
    rows: list[tuple[Any, ...]] = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    return json.dumps(rows, default=str)


def decoded(secret: str) -> bool:
    """Whether base64 of it is looked for wherever it begins."""
    return b64decode(encoded(secret)).decode().endswith(secret)
