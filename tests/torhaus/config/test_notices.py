import pytest

from tests.torhaus.config.deciding import from_environment, loaded
from torhaus.config.problems import ConfigError
from torhaus.model.approval import ApprovalSettings

KEY = "api_keys: [0123456789abcdef]"
PEOPLE = (
    "roles: {dev: {permissions: [github.read]}}\n"
    f"users: [{{email: u@x.de, role: dev, {KEY}}}]\n"
)


def test_calls_wait_25_seconds_and_approvals_15_minutes_unless_said() -> None:
    assert loaded(PEOPLE).rules.approvals == ApprovalSettings(hold=25, expires=900)
    said = loaded(PEOPLE + "approvals: {hold: 1m, expires: 2h}").rules.approvals
    assert said == ApprovalSettings(hold=60, expires=7200)


def test_notices_are_posted_to_a_webhook_and_its_secret_is_not_shown() -> None:
    text = "notifications: {webhook: {url: 'https://hook.example.com/x', secret: '${SECRET}'}}"

    found = from_environment(PEOPLE + text, {"SECRET": "hunter2-hunter2-hunter2"})

    webhook = found.rules.webhook
    assert webhook is not None
    assert webhook.url == "https://hook.example.com/x"
    assert webhook.secret.reveal() == "hunter2-hunter2-hunter2"
    assert "hunter2" not in repr(found)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("approvals: {hold: 2h}", "approvals.hold", "out of range"),
        ("approvals: {expires: 5s}", "approvals.expires", "out of range"),
        ("approvals: {holds: 5s}", "approvals.holds", "unknown key"),
        ("notifications: {webhook: {url: 'https://h.de'}}", "notifications.webhook", "a secret"),
        ("notifications: {webhook: {secret: x}}", "notifications.webhook.url", "missing"),
        (
            "notifications: {webhook: {url: 'ftp://h.de', secret: x}}",
            "notifications.webhook.url", "not an http(s) URL",
        ),
        (
            "notifications: {webhook: {url: 'https://h.de', secret: 'a b'}}",
            "notifications.webhook.secret", "no spaces",
        ),
        ("notifications: {slack: x}", "notifications.slack", "not supported by this version yet"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(text: str, path: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(PEOPLE + text)

    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message


def test_a_webhook_in_plain_text_and_a_short_secret_are_warned_about() -> None:
    text = "notifications: {webhook: {url: 'http://hook.example.com/', secret: short}}"

    said = {warning.path: warning.message for warning in loaded(PEOPLE + text).warnings}

    assert "unencrypted" in said["notifications.webhook.url"]
    assert "shorter than 16" in said["notifications.webhook.secret"]
    assert "short." not in str(said)


def test_letters_go_through_a_mail_server_that_encrypts() -> None:
    mail = "notifications: {email: {host: mx.example.com, from: torhaus@example.com"
    found = from_environment(PEOPLE + mail + ", user: u, password: '${P}'}}", {"P": "hunter2-x"})

    server = found.rules.mail
    assert server is not None
    assert (server.host, server.port, server.tls) == ("mx.example.com", 587, "starttls")
    assert "hunter2" not in repr(found)
    assert loaded(PEOPLE + mail + ", tls: tls}}").rules.mail.port == 465
    local = mail.replace("mx.example.com", "127.0.0.1")
    assert loaded(PEOPLE + local + ", tls: none, port: 25}}").rules.mail.tls == "none"
    for wrong in (", tls: none}}", ", user: u}}", ", port: 0}}"):
        with pytest.raises(ConfigError):
            loaded(PEOPLE + mail + wrong)
