import pytest

from tests.torhaus.config.deciding import loaded
from torhaus.config.problems import ConfigError, FaultError
from torhaus.config.things import check


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("repos", "*"),
        ("repos", "**"),
        ("repos", "myorg/*"),
        ("repos", "*/secret-?"),
        ("repos", "My-Org/a_b.c"),
        ("paths", "/"),
        ("paths", "/data"),
        ("paths", "/data/**"),
        ("paths", "**"),
        ("projects", "web"),
        ("projects", "group/sub/web"),
        ("channels", "#ops"),
    ],
)
def test_what_a_call_can_name_is_a_thing(kind: str, text: str) -> None:
    check(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "fix"),
    [
        ("repos", "secret", "OWNER/NAME"),
        ("repos", "secret*", "OWNER/NAME"),
        ("repos", "https://github.com/myorg/secret", "OWNER/NAME"),
        ("repos", "github.com/myorg/secret", "OWNER/NAME"),
        ("repos", "/myorg/secret", "OWNER/NAME"),
        ("repos", "myorg/", "OWNER/NAME"),
        ("repos", "myorg/se cret", "OWNER/NAME"),
        ("repos", "myorg:secret", "OWNER/NAME"),
        ("repos", "myorg/secret.git", "myorg/secret"),
        ("repos", "myorg/secret.GIT", "myorg/secret"),
        ("paths", "data/secret", "from the root"),
        ("paths", "*.env", "from the root"),
        ("paths", "~/x", "from the root"),
        ("paths", "/data/", "/data/reports"),
        ("paths", "/data//x", "/data/reports"),
        ("paths", "/data/../x", "/data/reports"),
    ],
)
def test_what_no_call_can_name_is_a_mistake(kind: str, text: str, fix: str) -> None:
    with pytest.raises(FaultError) as caught:
        check(kind, text)

    assert "can match no" in caught.value.message
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "github: {dev: {repos: {deny: [secret]}}}",
        "github: {dev: {repos: [secret]}}",
        "github: {dev: {paths: {deny: [secret]}}}",
        "accessControl: [{role: dev, repos: {deny: [secret]}}]",
        "data_classes: {sensitive: {repos: [secret]}}",
        "roles: {dev: {restrictions: [{only_repos: [secret]}]}}",
    ],
)
def test_every_rule_about_things_is_read_so(text: str) -> None:
    role = "" if text.startswith("roles") else "roles: {dev: {permissions: ['github:*']}}\n"

    with pytest.raises(ConfigError, match="'secret' can match no"):
        loaded(role + text)
