"""The official suite's client scenarios of authorization: Torhaus signs in to a server.

Each scenario is a server and an authorization server; the suite starts this module as its client.
It puts a gateway in front of the server, connects an account as a browser would, and calls a tool.
Last line: 'N passed, M failed'. Exit 1 when one fails, or when fewer ran than there are.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from tests.clients.accounts import give_identity
from tests.clients.gateway import Gateway

from scripts.conformance import DRIVER, SHARED, installed

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".test" / "conformance-auth"
KEY = "alice-conformance-key-0123456789"
PLAIN = "2026-07-28"
META = "io.modelcontextprotocol/"
ENVELOPE = {META + "protocolVersion": PLAIN, META + "clientCapabilities": {}}
DOCUMENT = "https://conformance-test.local/client-metadata.json"
ROUNDS = 4
SCENARIOS = 33  # 29 of the protocol's revisions and the client credentials, 4 of other extensions
ALICE = "alice@example.com"


def main() -> int:
    if not DRIVER.exists():
        print(f"SKIPPED conformance of signing in: no driver in {SHARED}; set TORHAUS_SHARED")
        return 0
    if not installed() and subprocess.run([DRIVER, "setup"], check=False).returncode != 0:
        print("FAIL conformance: the suite could not be installed; it needs npm")
        return 1
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    wanted = sys.argv[1:] or scenarios()
    failed = [each for each in wanted if not passes(each)]
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or (len(wanted) < SCENARIOS and not sys.argv[1:]) else 0


def suite(*words: str) -> subprocess.CompletedProcess[str]:
    home = os.environ.get("CONF_HOME", str(Path(tempfile.gettempdir()) / "torhaus-conformance"))
    modules = Path(home) / "npm" / "node_modules"
    node = modules / "node" / "bin" / "node"
    script = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    env = {**os.environ, "PATH": f"{node.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [str(node), str(script), *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def scenarios() -> list[str]:
    listed = suite("list").stdout.partition("Client scenarios")[2].partition("\n\n")[0]
    return re.findall(r"- (auth/[\w.-]+)", listed)


def passes(scenario: str) -> bool:
    command = f"{sys.executable} -m scripts.conformance_auth_clients --drive"
    out = RUN / scenario.replace("/", "-")
    words = ("--scenario", scenario, "--timeout", "90000", "-o", str(out))
    done = suite("client", "--command", command, *words)
    said = done.stdout + done.stderr
    (RUN / f"{scenario.replace('/', '-')}.log").write_text(said)
    good = done.returncode == 0 and "FAILURE" not in said
    print(f"{'ok      ' if good else 'FAIL    '} {scenario}")
    return good


# -- the client --------------------------------------------------------------------------------


def drive(url: str) -> int:
    """Sign in to the server at `url`, list its tools and call one, through a gateway."""
    scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    home = Path(tempfile.mkdtemp(prefix="torhaus-auth-"))
    try:
        word = home / "platform.jwt"
        word.write_text(context.get("valid_jwt", ""))
        gateway = Gateway(json.dumps(configuration(url, scenario, context, word)), home)
        if "idp_id_token" in context:  # its provider has no page to sign in on
            give_identity(gateway.data, ALICE, "oidc", context["idp_id_token"])
        with gateway:
            listed = asked(gateway, "tools/list", {})
            tools = listed.get("result", {}).get("tools", [])
            if not tools:
                return failure(listed)
            name, done = tools[0]["name"], {}
            for _ in range(2):  # what the server wants may change with the first call
                done = asked(gateway, "tools/call", {"name": name, "arguments": {}}, name)
            failed = "error" in done or done["result"].get("isError")
            return failure(done) if failed else 0
    finally:
        shutil.rmtree(home, ignore_errors=True)


def configuration(
    url: str, scenario: str, context: dict[str, Any], platform: Path
) -> dict[str, Any]:
    """`platform`: where its JWT is, of scenarios in which Torhaus is a workload."""
    auth: dict[str, Any] = {"type": "oauth", "mode": "user"}
    if scenario.startswith("auth/client-credentials"):
        auth["mode"] = "client"
    if scenario == "auth/basic-cimd":
        auth["client_id"] = DOCUMENT
    if "client_id" in context:
        auth["client_id"] = context["client_id"]
    if "client_secret" in context:
        auth["client_secret"] = context["client_secret"]
    if "private_key_pem" in context:
        auth |= {"private_key": context["private_key_pem"], "client_auth": "private_key_jwt"}
        auth["algorithm"] = context.get("signing_algorithm", "ES256")
    if "valid_jwt" in context:
        auth |= {"mode": "client", "assertion": f"file:{platform}"}
    if "idp_issuer" in context:
        auth["provider"] = "oidc"
    if {"idp_issuer", "client_secret", "valid_jwt"} & context.keys():
        auth["issuer"] = authority_of(url)
    provider = {
        "issuer": context.get("idp_issuer", "https://idp.example"),
        "client_id": context.get("idp_client_id", "gateway"),
        "client_secret": "the-providers-secret-0123456789",
    }
    return {
        "auth": {"oidc": provider},
        "users": [{"email": ALICE, "role": "all", "api_keys": [KEY]}],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "mcpServers": {"up": {"url": url, "auth": auth, "health": {"failures": "off"}}},
    }


def authority_of(url: str) -> str:
    """What an administrator writes down: whose word the server goes by."""
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path}"
    return str(httpx.get(place).json()["authorization_servers"][0])


def asked(gateway: Gateway, method: str, params: dict[str, Any], name: str = "") -> dict[str, Any]:
    """The answer; an account is connected as often as that is asked for."""
    found: dict[str, Any] = {}
    for _ in range(ROUNDS):
        found = sent(gateway, method, params, name)
        link = link_of(found)
        if link is None or not connected(link):
            return found
    return found


def sent(gateway: Gateway, method: str, params: dict[str, Any], name: str) -> dict[str, Any]:
    headers = {
        "apikey": KEY,
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": PLAIN,
        "mcp-method": method,
        **({"mcp-name": name} if name else {}),
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": ENVELOPE}}
    reply = httpx.post(gateway.url("up"), json=body, headers=headers, timeout=60)
    text = reply.text
    if reply.headers["content-type"].startswith("text/event-stream"):
        text = text.rpartition("data: ")[2]
    return dict(json.loads(text))


def link_of(found: dict[str, Any]) -> str | None:
    error = found.get("error")
    if error is not None:
        return (error.get("data") or {}).get("url") if error["code"] == 1428 else None
    meta = found["result"].get("_meta", {}).get("torhaus/connect")
    return None if meta is None else meta.get("url")


def connected(link: str) -> bool:
    """What somebody does in a browser: type the key, go on, agree (the suite's pages redirect)."""
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(link).text
        form = re.search(r'name="form" value="([^"]+)"', page)
        if form is None:
            return failure(page) == 0
        page = browser.post(link, data={"form": form[1], "key": KEY}).text
        onward = re.search(r'id="onward"[^>]*href="([^"]+)"', page)
        if onward is None:
            return failure(page) == 0
        end = browser.get(onward[1].replace("&amp;", "&"))
        return end.status_code == 200 or failure(end.text) == 0


def failure(what: object) -> int:
    text = what if isinstance(what, str) else json.dumps(what)
    words = re.sub(r"<style.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    print(" ".join(words.split())[:600], file=sys.stderr)
    return 1


if __name__ == "__main__":
    driven = "--drive" in sys.argv
    sys.exit(drive(sys.argv[-1]) if driven else main())
