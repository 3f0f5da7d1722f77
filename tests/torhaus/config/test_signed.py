"""What is posted is signed, or not posted."""

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError

HOOKS = (
    "notifications: {webhook: {url: 'https://x.example'%s}}",
    "audit_logs: {sinks: [{name: a, webhook: {url: 'https://x.example'%s}}]}",
    "audit_logs: {publish: [{webhook: {url: 'https://x.example'%s}}]}",
)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_webhook_without_a_secret_is_refused_wherever_it_stands(hook: str) -> None:
    with pytest.raises(ConfigError, match="a webhook needs a secret"):
        load_text(hook % "", "t.yml", {})


@pytest.mark.parametrize("hook", HOOKS)
def test_one_with_a_secret_is_taken_and_the_secret_is_kept_out_of_logs(hook: str) -> None:
    loaded = load_text(hook % ", secret: 'a-secret-of-0123456789'", "t.yml", {})

    assert "a-secret-of-0123456789" in [each.reveal() for each in loaded.secrets]
