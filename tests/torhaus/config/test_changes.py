import json

from torhaus.config.changes import MOST, NO_FINGERPRINT, changes, fingerprint
from torhaus.config.interpolate import interpolate
from torhaus.config.source import read

FILE = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${KEY}"]
  - email: bob@example.com
    role: developer
roles:
  developer: {permissions: ["*:read"]}
mcpServers:
  github: {url: "https://a.example/mcp"}
policies:
  - name: office hours
    action: deny
limits: []
"""


def printed(text: str, key: str = "one-secret"):
    source = read(text, "torhaus.yml")
    interpolate(source, {"KEY": key})
    return fingerprint(source)


def test_the_same_file_has_no_changes() -> None:
    assert changes(printed(FILE), printed(FILE)) == {}
    assert printed(FILE).digest == printed(FILE).digest != printed(FILE + "\n").digest


def test_changes_are_told_by_name() -> None:
    new = FILE.replace("bob@", "carol@").replace("*:read", "*").replace("a.example", "b.example")
    new = new.replace("office hours", "nights").replace("limits: []", "limits: [{}]\ngroups: {}")

    assert changes(printed(FILE), printed(new)) == {
        "users": {"added": ["carol@example.com"], "removed": ["bob@example.com"]},
        "roles": {"changed": ["developer"]},
        "servers": {"changed": ["github"]},
        "policies": {"added": ["nights"], "removed": ["office hours"]},
        "settings": {"added": ["groups"], "changed": ["limits"]},
    }


def test_a_new_secret_is_a_change_of_its_owner_and_is_never_told() -> None:
    old, new = printed(FILE), printed(FILE, "another-secret")

    told = changes(old, new)

    assert told == {"users": {"changed": ["alice@example.com"]}}
    assert old.digest == new.digest


def test_things_without_a_name_are_told_by_their_place() -> None:
    old = printed("policies: [{action: deny}]")

    assert changes(old, printed("policies: [{action: allow}]")) == {
        "policies": {"changed": ["[0]"]}
    }
    assert changes(old, printed("policies: ~")) == {"policies": {"removed": ["[0]"]}}


def test_names_are_fit_for_a_terminal_and_few() -> None:
    users = ", ".join(f'{{email: "u{n}@example.com"}}' for n in range(MOST + 5))
    told = changes(NO_FINGERPRINT, printed(f'users: [{users}]\n"a\\eb": 1'))

    assert len(told["users"]["added"]) == MOST + 1
    assert told["users"]["added"][-1] == "and 5 more"
    assert told["settings"]["added"] == ["a?b"]
    assert json.dumps(told)
