"""A company's identity provider pushes people: who is in, may; who is out, is out at once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.stories.caller import Caller
from tests.stories.directory import SOURCE, TOKEN, Directory, asked, minted
from tests.stories.town import SOON, Town, server
from tests.stories.upstream import Upstream, within

ERIN = "erin@company.local"
SEQUENCES = Path(__file__).parent / "scim"


@pytest.fixture(scope="module")
def company(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config: dict[str, Any] = {
        "auth": {"scim": [SOURCE]},
        "groups": {"readers": ["bob@example.com"]},
        "mcpServers": {"scripted": server(upstream.url)},
    }
    with Town(config, tmp_path_factory.mktemp("company")) as running:
        yield running


@pytest.fixture
def directory(company: Town) -> Iterator[Directory]:
    with Directory(company.port) as found:
        yield found


def test_the_whole_scim2_tester_passes(company: Town) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{company.port}/scim/v2", headers=headers
    ) as http:
        results = check_server(SyncSCIMClient(http))

    wrong = [f"{r.title}: {r.status} {r.reason}" for r in results if r.status is not Status.SUCCESS]
    assert not wrong, "\n".join(wrong)
    assert len(results) > 30


def test_a_role_comes_and_goes_with_the_group_and_takes_the_streams_along(
    company: Town, directory: Directory
) -> None:
    id = directory.user(ERIN, emails=[{"value": ERIN, "type": "work", "primary": True}])
    group = directory.group("Admins", id)
    key = minted(company.port, ERIN)
    with (
        Caller(company.port, key, "scripted") as erin,
        Caller(company.port, key, "scripted") as ear,
    ):
        assert "create_note" in erin.tool("create_note").text
        ear.begin()
        ear.listen()

        out = directory.patch(
            f"Groups/{group}", {"op": "remove", "path": f'members[value eq "{id}"]'}
        )
        began = time.monotonic()

        assert out.status == 200
        assert erin.tool("create_note").message["result"]["isError"] is True
        assert time.monotonic() - began < SOON
        for _ in ear.chunks():
            pass
        assert time.monotonic() - began < SOON
    directory.ask("DELETE", f"Users/{id}")
    directory.ask("DELETE", f"Groups/{group}")


@pytest.mark.parametrize("name", ["okta", "entra"])
def test_what_providers_send_does_what_they_mean(
    name: str, company: Town, directory: Directory
) -> None:
    ids: dict[str, str] = {}
    for step in json.loads((SEQUENCES / f"{name}.json").read_text()):
        method, path = step["ask"]
        body = json.loads(_filled(json.dumps(step.get("body")), ids))

        reply = directory.ask(method, _filled(path, ids), body)

        assert reply.status == step["status"], (step["why"], reply.json)
        said = reply.json or {}
        assert said == {**said, **step.get("has", {})}, step["why"]
        assert not set(step.get("lacks", ())) & set(said), step["why"]
        if "keep" in step:
            ids[step["keep"]] = said["id"]
        if "state" in step or "roles" in step:
            person = asked(company.port, "GET", f"people/{ERIN}")
            assert person["owner"] == "scim:okta"
            assert person["state"] == step.get("state", "active"), step["why"]
            assert person["roles"] == step.get("roles", person["roles"]), step["why"]


def _filled(text: str, ids: dict[str, str]) -> str:
    for name, id in ids.items():
        text = text.replace(f"{{{name}}}", id)
    return text


def test_whoever_is_deactivated_is_out_with_every_key_and_stream(
    company: Town, directory: Directory
) -> None:
    id = directory.user("frank@company.local")
    group = directory.group("Readers", id)
    key = minted(company.port, "frank@company.local")
    caller, ear = (Caller(company.port, key, "scripted") for _ in range(2))
    with caller, ear:
        assert caller.tool("get_note").status == 200
        ear.begin()
        ear.listen()

        directory.patch(f"Users/{id}", {"op": "Replace", "path": "active", "value": "False"})
        began = time.monotonic()

        assert caller.tool("get_note").status == 401
        assert time.monotonic() - began < SOON
        for _ in ear.chunks():
            pass
        assert time.monotonic() - began < SOON
    assert asked(company.port, "GET", "people/frank@company.local")["state"] == "gone"
    directory.ask("DELETE", f"Groups/{group}")


def test_people_of_the_file_stay_the_files(company: Town, directory: Directory) -> None:
    id = directory.user("mallory@example.com")
    group = directory.group("Admins", id)
    with company.caller("MALLORY") as mallory:
        assert mallory.tool("create_note").message["result"]["isError"] is True
    directory.patch(f"Users/{id}", {"op": "replace", "path": "active", "value": False})
    with company.caller("MALLORY") as mallory:
        assert mallory.tool("get_note").status == 401
    directory.patch(f"Users/{id}", {"op": "replace", "path": "active", "value": True})
    with company.caller("MALLORY") as mallory:
        assert mallory.tool("get_note").status == 200
    directory.ask("DELETE", f"Groups/{group}")


def test_nobody_pushes_without_the_token(company: Town) -> None:
    for token in (None, "wrong", TOKEN[:-1], "alice-key-0a5c5b1e9d8f4a47"):
        with Directory(company.port, token) as stranger:
            reply = stranger.ask("GET", "Users")
            assert reply.status == 401
            assert reply.headers["www-authenticate"] == "Bearer"
    assert TOKEN.encode() not in company.written().replace(company.file.read_bytes(), b"")


def test_every_change_leaves_a_record(company: Town, directory: Directory) -> None:
    since = company.count()

    id = directory.user("grace@company.local")
    directory.group("Readers", id)
    directory.ask("DELETE", f"Users/{id}")

    within(60, lambda: company.count() >= since + 3)
    told = company.records()[since:]
    assert [each["operation"] for each in told] == [
        "person.provisioned",
        "group.provisioned",
        "person.deprovisioned",
    ]
    assert {each["user"]["email"] for each in told} == {"scim:okta"}
    joined = told[1]["parameters"]
    assert joined["joined"] == ["grace@company.local"]
    assert joined["after"]["roles"] == {"grace@company.local": ["reader"]}
    assert told[2]["parameters"]["after"]["state"] == "gone"
