"""A program signs in for somebody, and what it gets is good for exactly that, as long as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.accounts import give_password
from tests.stories.caller import Caller, Headers
from tests.stories.signing import PASSWORD, WHO, Program
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oauth")


@pytest.fixture(scope="module")
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    config = {
        "mcpServers": {"scripted": server(upstream.url), "other": server(upstream.url)},
        "auth": {"server": {"dcr": {"rate": 1000}}},
    }
    town = Town(config, home)
    give_password(town.data, WHO, PASSWORD)
    with town as running:
        yield running


class Holder(Caller):
    """Somebody with an access token, sent as OAuth 2.1 has it."""

    def __init__(self, port: int, token: str, server: str) -> None:
        super().__init__(port, None, server)
        self.token = token

    def request(self, body: object = b"", headers: Headers = (), method: str = "POST") -> bytes:  # type: ignore[override,assignment]
        sent = dict(headers)
        return super().request(body, {**sent, "authorization": f"Bearer {self.token}"}, method)


def caller(town: Town, token: str, server: str = "scripted") -> Caller:
    return Holder(town.port, token, server)


def status(town: Town, token: str, server: str = "scripted") -> int:
    with caller(town, token, server) as asking:
        return asking.tool("get_note").status


def test_all_that_a_client_knows_at_first_is_the_address(own: Town) -> None:
    with Caller(own.port, None, "scripted") as nobody:
        refused = nobody.tool("get_note")
    told = refused.headers["www-authenticate"]
    found = re.search(r'resource_metadata="http://127\.0\.0\.1:\d+(/[^"]+)"', told)
    assert refused.status == 401
    assert 'scope="mcp"' in told
    assert found is not None
    program = Program(own.port)

    _, resource = program.get(found[1])
    _, issuer = program.get("/.well-known/oauth-authorization-server")

    assert resource["resource"] == f"{program.origin}/mcp/scripted"
    assert resource["authorization_servers"] == [issuer["issuer"]] == [program.origin]


def test_a_token_is_good_at_the_server_it_is_for(own: Town) -> None:
    tokens = Program(own.port).sign_in("scripted")

    assert status(own, tokens["access_token"]) == 200
    with caller(own, tokens["access_token"], "other") as asking:
        refused = asking.tool("get_note")
    assert refused.status == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert "/mcp/other" in refused.headers["www-authenticate"]


def test_a_token_for_everything_is_good_everywhere(own: Town) -> None:
    tokens = Program(own.port).sign_in("")

    assert status(own, tokens["access_token"], "scripted") == 200
    assert status(own, tokens["access_token"], "other") == 200


def test_a_record_says_who_called_with_a_token(own: Town) -> None:
    tokens = Program(own.port).sign_in()
    before = own.count()

    status(own, tokens["access_token"])

    assert [each["user"]["email"] for each in own.new(before)] == [WHO]


def test_a_refresh_token_and_a_code_are_no_access_tokens(own: Town) -> None:
    program = Program(own.port)
    tokens = program.sign_in()

    assert status(own, tokens["refresh_token"]) == 401
    assert status(own, program.code()) == 401


def test_a_code_that_comes_twice_ends_the_first_tokens_at_once(own: Town) -> None:
    program = Program(own.port)
    program.register()
    code = program.code()
    _, tokens = program.exchange(code)
    assert status(own, tokens["access_token"]) == 200

    again, told = program.exchange(code)

    assert (again, told["error"]) == (400, "invalid_grant")
    assert status(own, tokens["access_token"]) == 401
    assert program.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_the_new_token_works_beside_the_old_one(own: Town) -> None:
    program = Program(own.port)
    first = program.sign_in()

    _, second = program.refresh(first["refresh_token"])
    _, again = program.refresh(first["refresh_token"])

    assert again["access_token"] == second["access_token"]
    assert status(own, second["access_token"]) == 200
    assert status(own, first["access_token"]) == 200


def test_what_is_given_back_is_worth_nothing_at_once(own: Town) -> None:
    program = Program(own.port)
    tokens = program.sign_in()

    ended, _ = program.form("/revoke", {"token": tokens["refresh_token"]})

    assert ended == 200
    assert status(own, tokens["access_token"]) == 401


def test_another_persons_browser_finishes_nothing(own: Town) -> None:
    """The attacker begins, and makes the victim's browser open what comes next."""
    attacker, victim = Program(own.port), Program(own.port)
    attacker.register()
    victim.sign_in()
    page = attacker.browser.open(attacker.request())
    form = page.forms[0]
    attacker.browser.open(f"{attacker.origin}/authorize", {**form.fields, "decision": "allow"})
    resumed = next(each for each in attacker.browser.been if "/login?next=" in each)

    seen = victim.browser.open(resumed)

    assert seen.status == 400
    assert "code=" not in seen.url


def test_a_person_who_signs_in_again_is_still_asked(own: Town) -> None:
    program = Program(own.port)
    program.sign_in()

    page = program.browser.open(program.request())

    assert page.status == 200
    assert "A program" in page.words
    assert WHO in page.words


def test_nothing_written_down_holds_a_token(own: Town) -> None:
    program = Program(own.port)
    program.register()
    code = program.code()
    _, first = program.exchange(code)
    _, second = program.refresh(first["refresh_token"])
    status(own, second["access_token"])

    written = own.written()

    tokens = [code, *(each[name] for each in (first, second) for name in first if "token" in name)]
    secret = [each for each in tokens if each != "Bearer"]
    assert len(secret) == 5
    assert [each for each in secret if each.encode() in written] == []
    assert PASSWORD.encode() not in written


def test_registrations_and_tokens_survive_a_restart(upstream: Upstream, tmp_path: Path) -> None:
    town = Town({"mcpServers": {"scripted": server(upstream.url)}}, tmp_path)
    give_password(town.data, WHO, PASSWORD)
    with town:
        program = Program(town.port)
        tokens = program.sign_in()
        waiting = program.code()
    with town:
        assert status(town, tokens["access_token"]) == 200
        assert program.refresh(tokens["refresh_token"])[0] == 200
        assert program.exchange(waiting)[0] == 200
        assert within(60, lambda: town.healthy())
