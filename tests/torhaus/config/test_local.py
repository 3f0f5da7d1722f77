import pytest
from pydantic import ValidationError

from torhaus.config.load import load_text
from torhaus.config.local import LocalSpec
from torhaus.model.signin import LocalAccounts


def test_local_accounts_are_on_and_administrators_need_a_second_factor() -> None:
    assert LocalSpec().accounts() == LocalAccounts(enabled=True, second_factor="administrators")


def test_an_unknown_word_is_a_mistake() -> None:
    with pytest.raises(ValidationError):
        LocalSpec.model_validate({"second_factor": "sometimes"})


def test_what_the_file_says_of_local_accounts_is_in_force() -> None:
    text = "auth: {local: {enabled: false, second_factor: everybody}}\n"

    loaded = load_text(text, "torhaus.yml", {})

    assert loaded.settings.local == LocalAccounts(enabled=False, second_factor="everybody")
