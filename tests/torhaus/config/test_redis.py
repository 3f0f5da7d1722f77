"""How the shared store is named, and what is no such thing."""

from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed
from torhaus.model.redis import OnUnavailable, RedisSettings, Topology
from torhaus.model.tls import Tls


def settings(text: str, path: str = "t.yml", **environ: str) -> RedisSettings:
    found = load_text(f"storage: {{redis: {{{text}}}}}", path, environ).settings.redis
    assert found is not None
    return found


def test_without_it_everything_is_in_this_process() -> None:
    assert load_text("{}", "t.yml", {}).settings.redis is None


def test_an_address_is_enough() -> None:
    found = settings("addresses: redis.internal")

    assert found == RedisSettings(addresses=(("redis.internal", 6379),))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("addresses: 'redis:7000'", (("redis", 7000),)),
        ("addresses: '[::1]:7000'", (("::1", 7000),)),
        ("addresses: '[fe80::1]'", (("fe80::1", 6379),)),
        ("addresses: [a, 'b:1'], topology: sentinel", (("a", 26379), ("b", 1))),
        ("addresses: [a, b], topology: cluster", (("a", 6379), ("b", 6379))),
    ],
)
def test_ports_are_those_of_what_answers_there(text: str, addresses: object) -> None:
    assert settings(text).addresses == addresses


def test_every_key_reaches_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("sentinel-secret\n")
    (tmp_path / "ca.pem").write_text("certificates")
    text = (
        "addresses: [s1, s2], topology: sentinel, primary: main, username: torhaus, "
        "password: '${REDIS}', sentinel_username: watch, sentinel_password_file: pw, "
        "tls: {ca_file: ca.pem}, database: 3, namespace: gw-1, timeout: 100ms, "
        "connect_timeout: 2s, on_unavailable: deny, gateways: 4"
    )

    found = settings(text, str(tmp_path / "t.yml"), REDIS="very-secret")

    assert (found.topology, found.primary) == (Topology.SENTINEL, "main")
    assert found.login is not None
    assert (found.login.user, found.login.password.reveal()) == ("torhaus", "very-secret")
    assert found.sentinel_login is not None
    assert found.sentinel_login.user == "watch"
    assert found.sentinel_login.password.reveal() == "sentinel-secret"
    assert found.tls == Tls(ca_file=str(tmp_path / "ca.pem"))
    assert (found.database, found.namespace) == (3, "gw-1")
    assert (found.timeout, found.connect_timeout) == (0.1, 2.0)
    assert (found.on_unavailable, found.gateways) == (OnUnavailable.DENY, 4)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(("text", "tls"), [("true", Tls()), ("false", None), ("{}", Tls())])
def test_tls_is_a_word_or_a_block(text: str, tls: object) -> None:
    assert settings(f"addresses: a, tls: {text}").tls == tls


def test_another_place_needs_a_restart() -> None:
    one = load_text("{}", "t.yml", {}).settings
    other = load_text("storage: {redis: {addresses: a}}", "t.yml", {}).settings

    assert restart_needed(one, other) == ["redis"]


@pytest.mark.parametrize(
    ("text", "path", "message", "fix"),
    [
        ("", "addresses", "missing", "add"),
        ("addresses: []", "addresses", "empty", "at least one"),
        ("addresses: 'redis:0'", "addresses[0]", "not an address", "HOST:PORT"),
        ("addresses: 'redis:70000'", "addresses[0]", "not an address", "HOST:PORT"),
        ("addresses: 'redis://a'", "addresses[0]", "not an address", "HOST:PORT"),
        ("addresses: 'user:very-secret@a'", "addresses[0]", "not an address", "HOST:PORT"),
        ("addresses: [a, b]", "", "one server has one address", "topology"),
        ("addresses: a, topology: cluter", "topology", "single or sentinel", "cluster?"),
        ("addresses: a, topology: cluster, database: 1", "", "only database 0", "remove"),
        ("addresses: a, primary: x", "", "primary is for sentinels", "topology: sentinel"),
        ("addresses: a, username: x", "", "username without a password", "add password"),
        ("addresses: a, topology: sentinel, sentinel_username: x", "",
         "sentinel_username without a password", "add sentinel_password"),
        ("addresses: a, namespace: 'a b'", "namespace", "not a namespace", "letters"),
        ("addresses: a, namespace: '{x}'", "namespace", "not a namespace", "letters"),
        ("addresses: a, tls: {cert_file: x}", "tls", "go together", "both"),
        ("addresses: a, tls: {keyfile: x}", "tls.keyfile", "unknown key", "key_file"),
        ("addresses: a, tls: {ca_file: gone.pem}", "tls.ca_file", "no such file", "correct"),
        ("addresses: a, timeout: 0", "timeout", "range", "10ms"),
        ("addresses: a, gateways: 0", "gateways", "range", "at least 1"),
        ("addresses: a, on_unavailable: allow", "on_unavailable", "local or deny", "use"),
        ("addresses: a, password: very-secret, password_file: x", "password_file",
         "both given", "keep one"),
        ("addresses: a, adresses: b", "adresses", "unknown key", "did you mean addresses?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_path_and_fix(text: str, path: str, message: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"storage: {{redis: {{{text}}}}}", "t.yml", {})

    (problem,) = caught.value.problems
    assert problem.path == "storage.redis" + (f".{path}" if path else "")
    assert message in problem.message
    assert fix in problem.fix
    assert "very-secret" not in str(caught.value)
