import json
from base64 import b64encode
from typing import Any

from torhaus.config.load import load_text

CONFIG: dict[str, Any] = {
    "mcpServers": {
        "a": {
            "url": "http://127.0.0.1:1/",
            "headers": {
                "X-Api-Key": "hdr-key-0011",
                "X-Org": "myorg",
                "Authorization": "Basic dXNlcjpiYXNpYy1wdy05OQ==",
            },
        },
        "b": {
            "command": "true",
            "args": ["--token=${ARGUMENT}", "plain-argument-0123456789"],
            "env": {
                "LEVEL": "debug-level",
                "PLACE": "/data/repositories-2025",
                "API_TOKEN": "env-token-12345",
                "WHO": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "PROJECT": "123e4567-e89b-42d3-a456-426614174000",
            },
        },
        "c": {"url": "http://127.0.0.1:1/", "auth": {"type": "bearer", "token": "tok-123-abcdef"}},
    },
    "users": [{"email": "a@b.co", "role": "r", "api_keys": ["alice-secret-key-abc123"]}],
    "roles": {"r": {"permissions": ["*"]}},
    "storage": {
        "state": "postgresql://u:dbpass%40word9@h/n",
        "redis": {"addresses": ["h:1"], "password": "redis-pw-1"},
    },
    "notifications": {
        "webhook": {
            "url": "https://x.example/hooks/T0123456789abcdefXX",
            "secret": "webhook-secret-12",
        }
    },
}


def found(config: dict[str, Any], **environ: str) -> set[str]:
    loaded = load_text(json.dumps(config), "torhaus.yml", environ)
    return {each.reveal() for each in loaded.secrets}


def test_whatever_is_declared_as_secret_is_found():
    secrets = found(CONFIG, ARGUMENT="argument-0123456789xyz")

    assert {
        "tok-123-abcdef",
        "alice-secret-key-abc123",
        "redis-pw-1",
        "webhook-secret-12",
    } <= secrets


def test_a_password_in_a_url_is_found_as_it_is_meant():
    assert "dbpass@word9" in found(CONFIG, ARGUMENT="x")


def test_the_secret_part_of_an_address_is_found():
    assert "T0123456789abcdefXX" in found(CONFIG, ARGUMENT="x")


def test_headers_and_variables_count_by_name_or_when_they_are_no_words():
    secrets = found(CONFIG, ARGUMENT="x")

    assert {"hdr-key-0011", "dXNlcjpiYXNpYy1wdy05OQ==", "basic-pw-99"} <= secrets
    assert {"env-token-12345", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"} <= secrets
    assert not {"myorg", "debug-level", "/data/repositories-2025"} & secrets
    assert "123e4567-e89b-42d3-a456-426614174000" not in secrets


def test_an_argument_from_a_variable_counts_when_it_is_no_word():
    assert "argument-0123456789xyz" in found(CONFIG, ARGUMENT="argument-0123456789xyz")
    assert "production" not in found(CONFIG, ARGUMENT="production")
    assert "plain-argument-0123456789" not in found(CONFIG, ARGUMENT="x")


def test_a_file_without_secrets_has_none():
    assert found({"mcpServers": {"a": {"url": "http://127.0.0.1:1/"}}}) == set()


def test_keys_of_users_come_last():
    loaded = load_text(json.dumps(CONFIG), "torhaus.yml", {"ARGUMENT": "x"})

    assert loaded.secrets[-1].reveal() == "alice-secret-key-abc123"


def test_options_of_a_plugin_count_like_variables():
    options = {"password": "plugin-pw-77", "topic": "audit-records", "deep": {"a": ["x"]}}
    sinks = [{"name": "p", "plugin": {"entry_point": "acme", "options": options}}]
    secrets = found({"audit_logs": {"sinks": sinks}})

    assert secrets == {"plugin-pw-77"}


def own(name: str, **environ: str) -> set[str]:
    config = json.loads(json.dumps(CONFIG))
    basic = {"type": "basic", "username": "torhaus-robot-4711", "password": "basic-pw-44"}
    config["mcpServers"]["d"] = {"url": "http://127.0.0.1:1/", "auth": basic}
    key = {"type": "header", "name": "X-Place", "value": "of-a-key"}
    config["mcpServers"]["e"] = {"url": "http://127.0.0.1:1/", "auth": key}
    loaded = load_text(json.dumps(config), "torhaus.yml", environ)
    return {each.reveal() for each in loaded.rules.servers[name].secrets}


def test_a_servers_own_secrets_are_those_it_is_sent_or_started_with():
    argument = "argument-0123456789xyz"

    assert own("a", ARGUMENT=argument) == {
        "hdr-key-0011",
        "dXNlcjpiYXNpYy1wdy05OQ==",
        "basic-pw-99",
    }
    assert own("b", ARGUMENT=argument) == {
        argument,
        "env-token-12345",
        "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    }
    assert own("c", ARGUMENT=argument) == {"tok-123-abcdef"}
    assert own("e", ARGUMENT=argument) == {"of-a-key"}


def test_a_server_may_say_the_name_it_is_greeted_with():
    pair = b64encode(b"torhaus-robot-4711:basic-pw-44").decode()

    assert own("d", ARGUMENT="x") == {pair, "basic-pw-44"}
