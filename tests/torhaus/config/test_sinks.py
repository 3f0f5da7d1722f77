"""Where else audit records go, and what is no such place."""

from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed
from torhaus.model.secret import Secret
from torhaus.model.shipping import (
    FileTarget,
    OtlpTarget,
    PluginTarget,
    SearchTarget,
    SinkSettings,
    StdoutTarget,
    SyslogTarget,
    WebhookTarget,
)
from torhaus.model.tls import Tls


def sinks(text: str, path: str = "t.yml", **environ: str) -> tuple[SinkSettings, ...]:
    return load_text(f"audit_logs: {{sinks: [{text}]}}", path, environ).settings.audit.sinks


def refused(text: str, path: str = "t.yml", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        sinks(text, path, **environ)
    return "\n".join(str(each) for each in caught.value.problems)


def test_each_kind_has_its_target(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc==\n")
    text = """
      {name: f, file: {path: audit.log}},
      {name: s, stdout: true, batch: 10, timeout: 2s},
      {name: y, syslog: {address: 'logs:6514', facility: local3}},
      {name: w, webhook: {url: 'https://x.example/audit', secret: '${KEY}'}},
      {name: o, otlp: {url: 'http://collector:4318', headers: {x-key: '${KEY}'}}},
      {name: e, elasticsearch: {url: 'https://es:9200', api_key_file: key}},
      {name: p, opensearch: {url: 'https://os', index: a, username: u, password: '${KEY}'}},
      {name: g, plugin: {entry_point: acme, options: {a: 1}}}
    """

    found = sinks(text, str(tmp_path / "t.yml"), KEY="k")

    assert {sink.name: sink.target for sink in found} == {
        "f": FileTarget(path=str(tmp_path / "audit.log")),
        "s": StdoutTarget(),
        "y": SyslogTarget(host="logs", port=6514, transport="tls", facility=19),
        "w": WebhookTarget(url="https://x.example/audit", secret=Secret("k")),
        "o": OtlpTarget(url="http://collector:4318/v1/logs", headers=(("x-key", Secret("k")),)),
        "e": SearchTarget(
            url="https://es:9200", index="torhaus-audit", authorization=Secret("ApiKey abc==")
        ),
        "p": SearchTarget(url="https://os", index="a", authorization=Secret("Basic dTpr")),
        "g": PluginTarget(entry_point="acme", options={"a": 1}),
    }
    assert (found[1].batch, found[1].timeout) == (10, 2.0)


def test_certificates_are_beside_the_file_and_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    text = "{name: y, syslog: {address: 'logs:6514', ca_file: ca.pem}}"

    found = sinks(text, str(tmp_path / "t.yml"))

    assert getattr(found[0].target, "trust", None) == Tls(ca_file=str(tmp_path / "ca.pem"))
    assert "there is no such file" in refused(text.replace("ca.pem", "x.pem"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{name: A, stdout: true}", "this is not a sink's name"),
        ("{name: ../x, stdout: true}", "this is not a sink's name"),
        ("{name: a}", "of one kind, and nothing is given"),
        ("{name: a, stdout: true, file: {path: x}}", "of one kind, and file and stdout is given"),
        ("{name: a, stdout: true}, {name: a, file: {path: x}}", "two sinks are called a"),
        ("{name: a, sylog: {}}", "syslog"),
        ("{name: a, syslog: {address: logs}}", "this is not an address"),
        ("{name: a, syslog: {address: 'logs:99999'}}", "this is not an address"),
        ("{name: a, syslog: {address: 'logs:1', facility: x}}", "there is no such facility"),
        ("{name: a, syslog: {address: 'l:1', cert_file: x}}", "cert_file and key_file go together"),
        ("{name: a, webhook: {url: 'https://x.example'}}", "a webhook needs a secret"),
        ("{name: a, webhook: {url: 'ftp://x', secret: a}}", "this is not an http(s) URL"),
        ("{name: a, webhook: {url: 'http://8.8.8.8/', secret: a}}", "unencrypted"),
        ("{name: a, otlp: {url: 'https://u:secret@x'}}", "must not hold a user or password"),
        ("{name: a, elasticsearch: {url: 'https://x', index: ../y}}", "not an index's name"),
        ("{name: a, elasticsearch: {url: 'https://x', username: u}}", "go together"),
        (
            "{name: a, opensearch: {url: 'https://x', api_key: k, username: u, password: p}}",
            "one of the two",
        ),
        ("{name: a, stdout: true, batch: 0}", "between 1 and 10000"),
    ],
)
def test_what_is_wrong_is_told(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "collector", "localhost"])
def test_plain_http_is_for_private_networks(host: str) -> None:
    assert sinks(f"{{name: a, otlp: {{url: 'http://{host}:4318/v1/logs'}}}}")


def test_no_message_and_no_print_shows_a_secret() -> None:
    text = "{name: a, elasticsearch: {url: 'https://x', api_key: 'top secret'}}"

    assert "top" not in refused(text)
    assert "hunter" not in repr(sinks("{name: a, webhook: {url: 'https://x', secret: hunter2}}"))


def test_other_sinks_need_a_restart() -> None:
    before = load_text("{}", "t.yml", {}).settings
    after = load_text("audit_logs: {sinks: [{name: a, stdout: true}]}", "t.yml", {}).settings

    assert restart_needed(before, after) == ["audit"]
