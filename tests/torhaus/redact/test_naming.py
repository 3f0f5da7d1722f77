import pytest

from torhaus.redact.naming import TOKENS, public, telling


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("Passwort", "password"),
        ("DB_PASSWD", "password"),
        ("pwd", "password"),
        ("passphrase", "password"),
        ("client_secret", "secret"),
        ("clientSecret", "secret"),
        ("secrets", "secret"),
        ("token", "secret"),
        ("tokens", TOKENS),
        ("access_tokens", TOKENS),
        ("access-token", "secret"),
        ("X-API-Key", "secret"),
        ("apikey", "secret"),
        ("aws_secret_access_key", "secret"),
        ("privateKey", "secret"),
        ("Authorization", "secret"),
        ("credentials", "secret"),
        ("connectionString", "secret"),
        ("webhook_url", "secret"),
        ("Set-Cookie", "cookie"),
        ("cookies", "cookie"),
        ("session_id", "cookie"),
        ("phone", "phone"),
        ("mobile_number", "phone"),
        ("Telefon", "phone"),
        ("credit_card", "card"),
        ("cardNumber", "card"),
    ],
)
def test_a_telling_name_says_what_its_value_is(name: str, kind: str) -> None:
    assert telling(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        "", "name", "key", "keys", "id", "path", "passing", "passed", "bypass", "compass",
        "password_policy", "passwordChangedAt", "password_hint", "secret_name", "secretType",
        "secrets_url", "secret_scanning", "token_type", "token_count", "max_tokens",
        "prompt_tokens", "total_tokens", "tokenizer", "nextPageToken", "progressToken",
        "next_sync_token", "token_expires_at", "api_key_id", "keyboard", "monkey", "cookie_policy",
        "session", "telephony", "microphone", "author", "authorization_url", "card", "company",
        "[redacted:torhaus-token]", "password" * 20,
    ],
)  # fmt: skip
def test_names_of_other_things_say_nothing(name: str) -> None:
    assert telling(name) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("key:adm_0123456789abcdef0123", True),
        ("con_0123456789abcdef0123456789abcdef", True),
        ("token:jag_adm_0123456789abcdef0123", True),
        ("file-key:3", True),
        ("key:hunter2-hunter2-hunter2", False),
        ("adm_0123456789abcdef0123 and more", False),
        ("adm_0123456789abcdef012Z", False),
        ("xadm_0123456789abcdef0123", False),
        ("", False),
    ],
)
def test_what_records_call_credentials_is_public(value: str, expected: bool) -> None:
    assert public(value) is expected
