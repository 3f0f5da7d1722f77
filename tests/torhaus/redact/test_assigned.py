import pytest

from tests.torhaus.redact.samples import mixed
from torhaus.redact.detector import Level
from torhaus.redact.text import detectors, redact_text

SECRETS = detectors([Level.SECRETS])
KEY = mixed(24)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter2", "password=[redacted:password]"),
        ("DB_PASSWORD=geheim", "DB_PASSWORD=[redacted:password]"),
        ("export PGPASSWORD='a b1'", "export PGPASSWORD='[redacted:password]'"),
        ("password: hunter2!", "password: [redacted:password]"),
        ('password = "sesame"', 'password = "[redacted:password]"'),
        ("Server=db;User Id=sa;Password=geheim;",
         "Server=db;User Id=sa;Password=[redacted:password];"),
        ("/login?user=a&pwd=geheim&x=1", "/login?user=a&pwd=[redacted:password]&x=1"),
        ('{"password": "hunter2"} and more', '{"password": "[redacted:password]"} and more'),
        ('{"password": 12345678} and more', '{"password": 0} and more'),
        ("user: a\npassword: geheim\nhost: b", "user: a\npassword: [redacted:password]\nhost: b"),
        ("  - password: geheim", "  - password: [redacted:password]"),
        (f"API_KEY={KEY}", "API_KEY=[redacted:secret]"),
        (f"api-key: {KEY}", "api-key: [redacted:secret]"),
        (f'apiKey: "{KEY}"', 'apiKey: "[redacted:secret]"'),
        (f"aws_secret_access_key = {mixed(40)}", "aws_secret_access_key = [redacted:secret]"),
        (f"client_secret: '{KEY}'", "client_secret: '[redacted:secret]'"),
        (f"?access_token={KEY}&a=b", "?access_token=[redacted:secret]&a=b"),
        (f"token={KEY}", "token=[redacted:secret]"),
        (f'\\"secret\\": \\"{KEY}\\"', '\\"secret\\": \\"[redacted:secret]\\"'),
        (f"credentials => {KEY}", "credentials => [redacted:secret]"),
        ("mysql --password hunter2 db", "mysql --password [redacted:password] db"),
        ("x --db-password 'a b1' y", "x --db-password '[redacted:password]' y"),
        (f"run --apikey {KEY}", "run --apikey [redacted:secret]"),
    ],
)  # fmt: skip
def test_a_value_behind_a_telling_name_is_masked(text: str, masked: str) -> None:
    assert redact_text(text, SECRETS).text == masked


@pytest.mark.parametrize(
    "harmless",
    [
        "password: str",
        "password: string;",
        "  password: hashed,",
        "the password: geheim",
        "def login(user, password=None):",
        "password=password",
        "password = self.password",
        "password = getpass()",
        'password = os.environ["DB_PASSWORD"]',
        "password: ${DB_PASSWORD}",
        "PASSWORD=$1",
        "password=<your password>",
        "password: ********",
        "Password: required",
        "the password: see the vault",
        "reset your password.",
        "password_changed_at=2025-10-20",
        "token = get_token()",
        'token: "identifier"',
        "const token = await auth.getToken(user1)",
        "max_tokens=4096",
        "total_tokens: 123456",
        "token_type: Bearer",
        "next_page_token=abcdefghij12345",
        'secret_name = "db-credentials-1"',
        "secrets: inherit",
        "key: value",
        'primary_key="user_id_2"',
        "keyboard: qwertz12345",
        "--password is required",
        "--password --user2 alice",
        "docker login --password $PW1",
        "x --password-file /etc/pw1",
        "run --token YOURTOKENHERE",
        "a one-time-password hunter2",
        "API_KEY=",
        "api_key_url: https://example.org/keys1",
        "tokenizer: cl100k_base_long1",
    ],
)
def test_types_names_and_places_of_secrets_stay(harmless: str) -> None:
    assert redact_text(harmless, SECRETS).text is harmless
