import pytest

from torhaus.redact.naming import TOKENS, telling


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
