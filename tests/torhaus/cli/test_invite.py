"""`torhaus invite` and `torhaus invitations`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.offices import office, run

CSV = "email,role,servers,access_ends\nfrank@company.local,reader,,2099-12-31\nnonsense,reader,,\n"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with office(tmp_path_factory.mktemp("office")) as running:
        yield running


def test_people_are_asked_in_and_that_is_taken_back(gate: Gate) -> None:
    words = ("--role", "reader", "--expires", "7d", "--access-ends", "2099-12-31")
    asked = run(gate, "invite", "erin@company.local", *words, "--message", "Welcome")
    assert asked.code == 0, asked.err
    assert asked.out.startswith("erin@company.local: http://127.0.0.1:")
    assert "/invite/" in asked.out

    [listed] = run(gate, "invitations", "list", "--json").json()
    assert (listed["state"], listed["roles"], listed["link"]) == ("pending", ["reader"], None)
    assert "erin@company.local" in run(gate, "invitations", "list").out
    again = run(gate, "invitations", "resend", listed["id"], "--link")
    assert again.out != asked.out
    assert "/invite/" in again.out
    gone = run(gate, "invitations", "revoke", listed["id"])
    assert gone.out == "erin@company.local is not invited any more.\n"
    assert run(gate, "invitations", "revoke", listed["id"]).code == 1


def test_many_are_asked_in_from_a_file_with_a_line_for_each(gate: Gate) -> None:
    (gate.home / "people.csv").write_text(CSV)

    told = run(gate, "invite", "--from", str(gate.home / "people.csv"))

    assert told.code == 1
    first, second = told.out.splitlines()
    assert first.startswith("frank@company.local: http://")
    assert second == "nonsense: not invited: this is not an e-mail address"


def test_a_wrong_use_is_told(gate: Gate) -> None:
    assert run(gate, "invite").code == 2
    assert run(gate, "invite", "x@y.z", "--expires", "soon").code == 2
    assert run(gate, "invite", "--from", "nowhere.csv").code == 2
