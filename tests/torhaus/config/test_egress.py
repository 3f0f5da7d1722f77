"""Where Torhaus may go when others say where, and whom it believes there."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError


def test_without_it_the_internet_is_all_there_is() -> None:
    settings = load_text("{}", "t.yml", {}).settings

    assert settings.egress == ()
    assert settings.egress_ca is None


def test_networks_are_listed_and_a_file_is_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ours.pem").write_text("")
    text = "egress: {allow: [10.20.0.0/16], ca_file: ours.pem}"

    settings = load_text(text, str(tmp_path / "t.yml"), {}).settings

    assert settings.egress == (ip_network("10.20.0.0/16"),)
    assert settings.egress_ca == tmp_path / "ours.pem"


def test_a_file_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"egress.ca_file: there is no such file"):
        load_text("egress: {ca_file: ours.pem}", str(tmp_path / "t.yml"), {})
