"""Addresses that two readers could read differently lead nowhere but where they are written."""

import http.client
import socket

import pytest

from tests.stories.caller import legacy
from tests.stories.town import KEYS, Town
from tests.stories.upstream import Upstream

PING = legacy("ping")
TRICKS = (
    "/mcp/scripted/../admin",
    "/mcp/scripted/../old",
    "/mcp/scripted/%2e%2e/old",
    "/mcp/scripted/..%2fold",
    "/mcp/scripted%2f..%2fold",
    "/mcp/nobody/../scripted",
    "/mcp/nobody/%2e%2e/scripted",
    "/mcp/nobody%2f..%2fscripted",
    "/mcp/scripted;/../old",
    "/mcp/scripted;old",
    "/mcp/scripted;a=b",
    "/mcp/scripted%00",
    "/mcp/scripted%0d%0aold",
    "/mcp/scripted%23",
    "/mcp/scripted%3f",
    "/mcp/scripted\\old",
    "/mcp/scripted%5c..%5cold",
    "/mcp/SCRIPTED",
    "/mcp/scripted%20",
    "/mcp/scripted.json",
    "/mcp/%252e%252e/scripted",
    "/mcp/../mcp/scripted",
    "/./mcp/scripted",
    "/mcp/./scripted",
    "//mcp/scripted",
    "/MCP/scripted",
    "/health/../mcp/scripted",
    "/static/../mcp/scripted",
    "/api/../mcp/scripted",
    "/%6dcp/scripted",
)
PAGES = (
    "/api/docs/../v1/me",
    "/api/docs%2f..%2fv1%2fme",
    "/api/docs/%2e%2e/v1/me",
    "/api/v1/openapi.json/../me",
    "/api/v1/openapi.json;/me",
    "//api/v1/me",
    "/API/v1/me",
    "/api//v1/me",
    "/api/v1//me",
    "/api/v1/me;x",
    "/mcp/../api/v1/me",
    "/health/../api/v1/me",
    "/static/x/..%2f..%2f..%2fpyproject.toml",
    "/static/x/%2e%2e%2ftemplates%2fbase.html",
)


@pytest.mark.parametrize("target", TRICKS)
def test_no_spelling_leads_to_another_server(target: str, town: Town, upstream: Upstream) -> None:
    upstream.seen.clear()
    with town.caller() as caller:
        caller.target = target
        answer = caller.ask(*caller.call("get_note"))

    assert answer.status in (400, 403, 404, 405), answer
    assert upstream.asked() == []


@pytest.mark.parametrize("target", PAGES)
def test_no_spelling_leads_around_the_door_of_the_api(target: str, town: Town) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
    for headers in ({}, {"apikey": KEYS["MALLORY_KEY"]}):
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()

        assert answer.status in (400, 401, 404, 405), target
        assert b"mallory@example.com" not in body
        assert b"[project]" not in body
    connection.close()


@pytest.mark.parametrize("target", ["/mcp/scripted", "/mcp/scripted/", "/mcp/scripted?x=../old"])
def test_the_plain_address_is_the_servers_own(target: str, town: Town) -> None:
    with town.caller() as caller:
        caller.target = target

        assert caller.ask(PING).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "name",
    [
        "x%0d%0aset-cookie:%20torhaus=chosen",
        "x%0d%0acontent-type:%20text/html%0d%0a%0d%0a%3cscript%3ealert(1)%3c/script%3e",
        "x%0aX-Other:%201",
        "x%00",
        "x%22,%20scope=%22other",
        "%c3%bc",
        "%e2%80%ae",
    ],
)
def test_no_name_of_a_server_writes_a_header_of_ours(method: str, name: str, town: Town) -> None:
    told = f"{method} /mcp/{name} HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\ncontent-length: 0\r\n"
    with socket.create_connection(("127.0.0.1", town.port), timeout=60) as line:
        line.sendall(f"{told}connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = {each.partition(b":")[0] for each in lines[1:]}
    assert head.startswith(b"HTTP/1.1 401 ")
    assert head.replace(b"\r\n", b"").isascii()
    assert not set(head.replace(b"\r\n", b"")) & {0, 10, 13}
    assert names <= {
        *(b"cache-control", b"x-content-type-options", b"date", b"www-authenticate"),
        *(b"content-type", b"connection", b"content-length"),
    }
    assert b"<script>" not in body
    challenge = next(each for each in lines if each.startswith(b"www-authenticate"))
    assert challenge.count(b'"') == 4
