from pathlib import Path

import pytest

from tests.torhaus.config.vaults import TOKEN, vault
from torhaus.config.problems import FaultError
from torhaus.config.vaultsecrets import vault_secret

HERE = Path()
WHAT = "secret/mcp/github#token"


@pytest.mark.parametrize("what", [WHAT, "secret/data/mcp/github#token", "/secret/mcp/github#token"])
def test_a_field_of_a_secret_is_read(what: str) -> None:
    with vault() as address:
        environ = {"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN}

        assert vault_secret(what, environ, HERE) == "canary-github"


def test_the_token_may_be_in_a_file_and_the_secret_in_a_namespace(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with vault("team/a") as address:
        environ = {"VAULT_ADDR": f"{address}/", "VAULT_TOKEN_FILE": str(tmp_path / "token")}

        with pytest.raises(FaultError, match="no such secret"):
            vault_secret(WHAT, environ, HERE)
        environ["VAULT_NAMESPACE"] = "team/a"
        assert vault_secret(WHAT, environ, HERE) == "canary-github"


@pytest.mark.parametrize(
    ("what", "environ", "words"),
    [
        ("secret/mcp/github", {}, "not whole"),
        ("secret#token", {}, "not whole"),
        ("secret/mcp/#", {}, "not whole"),
        ("secret/../sys/seal#token", {}, "not whole"),
        (WHAT, {"VAULT_ADDR": ""}, "VAULT_ADDR is not set"),
        (WHAT, {"BAO_TOKEN": "canary-wrong"}, "does not let this token read it"),
        (WHAT, {"BAO_ADDR": ""}, "VAULT_ADDR is not set"),
        (WHAT, {"VAULT_ADDR": "ftp://x"}, "no http"),
        (WHAT, {"VAULT_ADDR": "http://127.0.0.1:9"}, "cannot be reached"),
        (WHAT, {"VAULT_TOKEN": ""}, "VAULT_TOKEN is not set"),
        (WHAT, {"VAULT_TOKEN": "", "VAULT_TOKEN_FILE": "/nowhere"}, "cannot be read"),
        (WHAT, {"VAULT_TOKEN": "canary-wrong"}, "does not let this token read it"),
        ("secret/mcp/other#token", {}, "no such secret"),
        ("secret/mcp/deleted#token", {}, "was deleted"),
        ("secret/mcp/standby#token", {}, "is a standby"),
        ("secret/mcp/github#other", {}, "has no field 'other'"),
        ("secret/mcp/github#number", {}, "has no field 'number'"),
        (WHAT, {"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_CACERT": "/nowhere"}, "VAULT_CACERT"),
    ],
)
def test_what_goes_wrong_is_said_without_a_secret(
    what: str, environ: dict[str, str], words: str
) -> None:
    with vault() as address:
        usual = {"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN}
        with pytest.raises(FaultError) as failed:
            vault_secret(what, {**usual, **environ}, HERE)

    assert words in failed.value.message
    assert "canary" not in failed.value.message + failed.value.fix


def test_a_sealed_vault_says_so() -> None:
    with vault(sealed=True) as address, pytest.raises(FaultError, match="is sealed"):
        vault_secret(WHAT, {"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN}, HERE)


def test_openbaos_own_variables_come_first(tmp_path: Path) -> None:
    """Also where they are set to nothing, as its own client has it."""
    (tmp_path / "token").write_text(TOKEN)
    with vault("team") as address:
        wrong = {"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_NAMESPACE": "other"}
        own = {"BAO_ADDR": address, "BAO_NAMESPACE": "team"}
        for token in ({"BAO_TOKEN": TOKEN}, {"BAO_TOKEN_FILE": str(tmp_path / "token")}):
            assert vault_secret(WHAT, {**wrong, **own, **token}, HERE) == "canary-github"
    with vault() as address:
        environ = {"BAO_ADDR": address, "BAO_TOKEN": TOKEN, "VAULT_NAMESPACE": "other"}
        assert vault_secret(WHAT, {**environ, "BAO_NAMESPACE": ""}, HERE) == "canary-github"
