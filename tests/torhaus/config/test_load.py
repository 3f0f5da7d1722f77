import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torhaus.config.summary import CASES, ENVIRON, SECRETS
from torhaus.config.load import load, load_text
from torhaus.config.problems import ConfigError
from torhaus.config.schema import File
from torhaus.identity.keys import digest

SERVER = "mcpServers:\n  github:\n    url: https://mcp.github.com\n"

# text, line, path, words of the message, words of the fix
BAD = [
    ("", 1, "", "block of keys", "mcpServers:"),
    ("- a", 1, "", "block of keys", "mcpServers:"),
    ("server:", 1, "server", "block of keys", "empty"),
    ("server:\n  prot: 1", 2, "server.prot", "unknown key", "did you mean port?"),
    ("severs: {}", 1, "severs", "unknown key", "did you mean server?"),
    ("server: {zzz: 1}", 1, "server.zzz", "unknown key", "known here: host, port"),
    ("server: {port: 70000}", 1, "server.port", "out of range", "65535"),
    ("server: {port: true}", 1, "server.port", "whole number", "digits"),
    ("server: {host: 'a b'}", 1, "server.host", "not an address", "127.0.0.1"),
    ("server: {host: 8080}", 1, "server.host", "must be text", "quotes"),
    ("server: {plaintext: prviate}", 1, "server.plaintext", "must be", "did you mean private?"),
    ("server: {plaintext: zzz}", 1, "server.plaintext", "must be", "use loopback or private"),
    ("server: {max_body: 1}", 1, "server.max_body", "out of range", "1KiB"),
    ("server: {timezone: Mars}", 1, "server.timezone", "time zone", "Europe/Berlin"),
    ("server: {metrics_networks: all}", 1, "server.metrics_networks", "list", "loopback"),
    ("server: {allowed_hosts: a.de}", 1, "server.allowed_hosts", "must be a list", "- item"),
    ("auth: {provider: kerberos}", 1, "auth.provider", "must be oauth", "oauth"),
    ("auth: {provider: saml}", 1, "auth.provider", "no saml block", "auth.saml"),
    ("auth: {provider: oauth}", 1, "auth.provider", "no oauth block", "auth.oauth"),
    ("auth: {saml: {}}", 1, "auth.saml", "metadata_file or metadata_url", "add one"),
    ("auth:\n  anonymous:\n    networks: [loopback]", 2, "auth.anonymous.roles", "missing", "add"),
    (
        "auth:\n  anonymous:\n    networks: [loopback]\n    roles: []",
        4, "auth.anonymous.roles", "empty", "at least one",
    ),
    (
        "auth:\n  anonymous:\n    networks: []\n    roles: [r]\nroles: {r: {}}",
        3, "auth.anonymous.networks", "empty", "list networks",
    ),
    (
        "auth:\n  anonymous:\n    networks: [loopback]\n    roles: [reeder]\nroles: {reader: {}}",
        4, "auth.anonymous.roles[0]", "no such role: 'reeder'", "did you mean reader?",
    ),
    ("mcpServers: {Git: {url: 'https://a.de'}}", 1, "mcpServers.Git", "server's name", "a-z"),
    ("mcpServers: {users: {url: 'https://a.de'}}", 1, "mcpServers.users", "a key of", "another"),
    ("mcpServers: {a: {}}", 1, "mcpServers.a", "url or a command", "exactly one"),
    ("mcpServers: {a: {url: 'https://a.de', command: x}}", 1, "mcpServers.a", "url or", "one"),
    ("mcpServers:\n  a:\n    url: a.de", 3, "mcpServers.a.url", "not a URL", "https://"),
    ("mcpServers: {a: {command: x, ca_file: z}}", 1, "mcpServers.a", "not use ca_file", "remove"),
    ("mcpServers: {a: {url: 'https://a.de', env: {}}}", 1, "mcpServers.a", "not use env", "remove"),
    (
        "mcpServers: {a: {command: x, env: {'A=B': c}}}",
        1, "mcpServers.a.env.A=B", "variable's name", "letters",
    ),
    (
        "mcpServers: {a: {command: x, args: [--port, 80]}}",
        1, "mcpServers.a.args[1]", "must be text", "quotes",
    ),
    (
        "mcpServers:\n  a:\n    command: x\n    cwd: ./nowhere-at-all",
        4, "mcpServers.a.cwd", "no such directory", "path",
    ),
    (SERVER + "    ca_file: nowhere.pem", 4, "mcpServers.github.ca_file", "no such file", "path"),
    (SERVER + "    transport: ws", 4, "mcpServers.github.transport", "auto or http or sse", "use"),
    (SERVER + "    rateLimit: {window: 5}", 4, "mcpServers.github.rateLimit.requests", "missing",
     "requests"),
    (SERVER + "    cache: {ttl: soon}", 4, "mcpServers.github.cache.ttl", "duration", "5m"),
    (SERVER + "    cache: {ttl: -1}", 4, "mcpServers.github.cache.ttl", "duration", "5m"),
    (SERVER + "    cache:\n      ttl: ${TTL}", 5, "mcpServers.github.cache.ttl", "TTL", "export"),
    (
        SERVER + "    rateLimit:\n      requests: 0\n      window: 1h",
        5, "mcpServers.github.rateLimit.requests", "out of range", "at least 1",
    ),
    (
        SERVER + "    rateLimit:\n      requests: 5\n      window: 0",
        6, "mcpServers.github.rateLimit.window", "out of range", "1ms",
    ),
    (
        SERVER + "    headers:\n      Mcp-Session-Id: x",
        5, "mcpServers.github.headers.Mcp-Session-Id", "sets this header itself", "remove",
    ),
    (
        SERVER + "    headers:\n      A: \"x\\r\\nB: y\"",
        5, "mcpServers.github.headers.A", "line break", "check",
    ),
    (SERVER + "    headers: {A: x, a: y}", 2, "mcpServers.github", "differ only in case", "one"),
    (
        SERVER + "    headers: {authorization: x}\n    auth: {type: bearer, token: y}",
        2, "mcpServers.github", "same header", "one",
    ),
    (SERVER + "    auth: {type: bearer}", 4, "mcpServers.github.auth", "needs token", "add token"),
    (SERVER + "    auth: {token: x}", 4, "mcpServers.github.auth.type", "missing", "type"),
    (
        SERVER + "    auth: {type: basic, username: 'a:b', password: x}",
        4, "mcpServers.github.auth", "colon", "another",
    ),
    (
        SERVER + "    auth: {type: bearer, token: x, password: y}",
        4, "mcpServers.github.auth", "does not use password", "remove",
    ),
    (
        SERVER + "    auth: {type: bearer, token: \"ghp_x\\n\"}",
        4, "mcpServers.github.auth.token", "line break", "at the end",
    ),
    (SERVER + "gihub: {}", 4, "gihub", "unknown key 'gihub'", "did you mean github?"),
    ("alerts: {}", 1, "alerts", "not supported by this version yet", "remove"),
    (
        "roles:\n  dev:\n    allow: [github.read]",
        3, "roles.dev.allow", "not supported by this version yet", "never read and then",
    ),
    ("roles: {a: {permissions: [github.raed]}}", 1, "roles.a.permissions[0]", "raed", "correct"),
    ("roles: {dev: {permissions: github.read}}", 1, "roles.dev.permissions", "a list", "- item"),
    ("accessControl: {role: a}", 1, "accessControl", "must be a list", "- item"),
    ("accessControl:\n  - allow: []", 2, "accessControl[0].role", "missing", "role"),
    (
        "accessControl:\n  - {role: a, when: 'tool == \"x\"'}",
        2, "accessControl[0]", "allows and denies nothing", "add allow",
    ),
    ("users: [{email: a@b.de}]", 1, "users[0]", "role, roles or groups", "add role"),
    (
        "users: [{email: a@b.de, role: a, roles: [a]}]",
        1, "users[0]", "role or roles", "exactly one",
    ),
    ("users: [{email: [email protected], role: a}]", 1, "users[0].email", "a list", "alice@"),
    (
        "roles: {dev: {}}\nusers:\n  - {email: a@b.de, role: dve}",
        3, "users[0].role", "no such role: 'dve'", "did you mean dev?",
    ),
    (
        "roles: {a: {}}\nusers:\n  - {email: a@b.de, role: a}\n  - {email: A@B.de, role: a}",
        4, "users[1].email", "on line 3 already", "keep one",
    ),
    (
        "roles: {a: {}}\nusers: [{email: a@b.de, role: a, expires: soon}]",
        2, "users[0].expires", "not a date", "2025-12-31",
    ),
    (
        "roles: {a: {}}\nusers: [{email: a@b.de, role: a, expires: 9999-12-31}]",
        2, "users[0].expires", "out of range", "never",
    ),
    (
        "roles: {a: {}}\nusers: [{email: a@b.de, role: a, api_keys: ['${NOT_SET:-}']}]",
        2, "users[0].api_keys[0]", "the key is empty", "set the variable",
    ),
    (
        "roles: {a: {}}\nusers: [{email: a@b.de, role: a, api_keys: [12345678]}]",
        2, "users[0].api_keys[0]", "must be text", "quotes",
    ),
    (
        "roles: {a: {}}\nusers:\n  - email: a@b.de\n    role: a\n    expires:",
        5, "users[0].expires", "the value is empty", "write one",
    ),
    (
        "accessControl:\n  - role: a\n    allow: ['github:delete']\n    when: ~",
        4, "accessControl[0].when", "the value is empty", "write one",
    ),
    (
        SERVER + "roles: {a: {}}\ngithub:\n  a:\n    allow: [read]\n    repos:",
        8, "github.a.repos", "the value is empty", "remove the key",
    ),
    (
        SERVER + "roles: {a: {}}\ngithub:\n  a:\n    repos:\n      allow:\n      deny: [x/y]",
        8, "github.a.repos.allow", "the value is empty", "remove the key",
    ),
    ("audit_logs: {durability: fast}", 1, "audit_logs.durability", "durable or async", "use"),
    ("audit_logs: {flush: 1h}", 1, "audit_logs.flush", "out of range", "10s"),
    ("storage: {cache: 1}", 1, "storage.cache", "not supported by this", "remove"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "path", "message", "fix"), BAD)
def test_a_mistake_is_named_with_line_path_and_fix(
    text: str, line: int, path: str, message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "t.yml", {})

    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message
    assert fix in problem.fix
    assert str(caught.value) == (
        f"t.yml:{line}: {path + ': ' if path else ''}{problem.message}\n    fix: {problem.fix}"
    )


def test_a_secret_in_the_wrong_place_is_not_repeated() -> None:
    places = [
        "roles: {a: {permissions: ['%s']}}",
        "server: {plaintext: '%s'}",
        "server: {port: '%s'}",
    ]
    places += [
        "users: [{email: '%s', role: a}]", "roles: {a: {}}\nusers: [{email: a@b.de, role: '%s'}]",
        "mcpServers: {a: {url: '%s'}}", "server: {timezone: '%s'}",
        "server: {allowed_origins: ['%s']}",
        "mcpServers: {a: {url: 'https://a.de', cache: {ttl: '%s'}}}", "audit_logs: '%s'",
        "auth: {anonymous: {networks: ['%s'], roles: [a]}}",
    ]  # fmt: skip

    for place in places:
        with pytest.raises(ConfigError) as caught:
            load_text(place % "${GITHUB_TOKEN}", "t.yml", ENVIRON)
        assert ENVIRON["GITHUB_TOKEN"] not in str(caught.value), place


def test_every_later_key_of_the_file_is_refused() -> None:
    for key in File.later:
        with pytest.raises(ConfigError, match="not supported by this version yet"):
            load_text(f"{key}: {{}}", "t.yml", {})


def test_the_director_block_loads() -> None:
    loaded = load(CASES / "director.yml", ENVIRON)

    github = loaded.rules.servers["github"]
    assert loaded.settings.host == "0.0.0.0"
    assert github.address.headers[0][1].reveal() == "Bearer ghp_secret_of_github"
    assert [warning.line for warning in loaded.warnings] == [3, 7, 45]


def test_the_environment_is_only_the_one_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "from-the-process")
    monkeypatch.setenv("SENTRY_TOKEN", "from-the-process")

    with pytest.raises(ConfigError) as caught:
        load(CASES / "director.yml", {})

    assert [problem.line for problem in caught.value.problems] == [17, 28]


def test_the_example_loads_without_a_warning_but_for_programs() -> None:
    example = Path(__file__).parents[3] / "torhaus.example.yml"

    loaded = load(example, {"TORHAUS_FIRST_KEY": "0123456789abcdef-key"})

    alice = loaded.rules.keys[digest("0123456789abcdef-key")]
    assert alice.email == "alice@example.com"
    assert [p.rule for p in alice.phase(0).on("git").allows] == ["developer: git.read"]
    assert all("no such program" in warning.message for warning in loaded.warnings)


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (None, "No such file", None),
        (b"a: 1\nb: \xff", "not UTF-8", 2),
        (b"#" * 3_000_000, "larger than 2 MiB", None),
    ],
)
def test_an_unreadable_file_is_a_problem_too(
    tmp_path: Path, content: bytes | None, message: str, line: int | None
) -> None:
    path = tmp_path / "t.yml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=message) as caught:
        load(path, {})
    assert caught.value.problems[0].line == line


def test_the_command_line_chooses_the_data_directory(tmp_path: Path) -> None:
    text = "server: {data_dir: elsewhere}"

    assert load_text(text, "t.yml", {}).settings.data_dir == Path("elsewhere")
    assert load_text(text, "t.yml", {}, tmp_path).settings.data_dir == tmp_path


def test_the_same_file_gives_the_same_version_and_another_key_another() -> None:
    text = "roles: {a: {}}\nusers: [{email: a@b.de, role: a, api_keys: ['${KEY}']}]"

    versions = [
        load_text(text, "t.yml", {"KEY": key}).rules.version
        for key in ("0123456789abcdef", "0123456789abcdef", "0123456789abcdeX")
    ]

    assert versions[0] == versions[1] != versions[2]


WORDS = sorted({*File.model_fields, "role", "roles", "url", "command", "auth", "type", "token"})
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["${GITHUB_TOKEN}", "https://a.de", "a@b.de", "5m", "2025-12-31"])
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4)
    ),
)
FILES = st.dictionaries(st.sampled_from(WORDS), TREES, max_size=4).map(json.dumps)
SCRAPS = st.lists(
    st.sampled_from(
        [*WORDS, ": ", ":", "\n", "\n  ", "- ", "{", "}", "[", "]", "&a ", "*a", "!!x ", "|", ">",
         '"', "'", "#", "${", "}", "%YAML", "---", "\t", "?", ",", "\\", "\x85", "\ufeff"]
    )
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text() | SCRAPS | FILES)
def test_any_text_loads_or_is_refused_and_tells_no_secret(text: str) -> None:
    said = ""
    try:
        load_text(text, "t.yml", ENVIRON)
    except ConfigError as error:
        said = str(error)
    assert not any(secret in said for secret in SECRETS)


ROOT = Path(__file__).parents[3]


def test_the_teams_example_loads_without_a_warning_that_is_not_about_its_days() -> None:
    example = ROOT / "examples" / "team.yml"
    names = re.findall(r"\$\{(\w+)\}", example.read_text())
    environ = {name: f"{name.lower()}-0123456789" for name in names}

    loaded = load(example, environ)

    said = [str(warning) for warning in loaded.warnings]
    assert [each for each in said if "ended at" not in each] == []
    assert set(loaded.rules.servers) == {"github", "sentry", "firebase", "puppeteer", "orders"}


def test_the_example_of_a_company_that_vouches_for_its_people_loads_without_a_warning() -> None:
    example = ROOT / "examples" / "enterprise.yml"
    names = re.findall(r"\$\{(\w+)\}", example.read_text())

    loaded = load(example, {name: f"{name.lower()}-0123456789" for name in names})

    assert not loaded.warnings
    assert loaded.rules.servers["notes"].vouched == "oidc"


def documented() -> list[str]:
    pages = ("configuration", "identity", "upstream-authentication")
    text = "".join((ROOT / "docs" / f"{each}.md").read_text() for each in pages)
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", documented(), ids=lambda text: text.partition(":")[0])
def test_every_example_in_the_documentation_loads(example: str, tmp_path: Path) -> None:
    given = {line.partition(":")[0] for line in example.splitlines()}
    around = {
        "mcpServers": "{github: {url: 'https://g.de'}, sentry: {url: 'https://s.de'}}",
        "roles": "{developer: {}, tech-lead: {}, contractor: {}, reviewer: {}, reader: {}}",
        "users": "[{email: alice@company.local, role: developer}]",
        "groups": "{ops-team: [alice@company.local], guests: [], external: []}",
    }
    rest = "".join(f"{key}: {text}\n" for key, text in around.items() if key not in given)
    if "users" not in given and "groups" in given:
        rest = rest.replace("groups:", "unused:")

    for name in re.findall(r"_file: (\S+)", example):
        (tmp_path / name).write_text("<x/>")
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", example), "0123456789abcdef")

    load_text(example + rest, str(tmp_path / "docs.yml"), environ)


def test_a_hidden_address_as_a_key_is_told_to_be_written_out() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("github:\n  [email protected]:\n    allow: [read:repos]", "t.yml", {})

    (problem,) = caught.value.problems
    assert (problem.line, problem.fix) == (2, "write the name or address itself, not [...]")
