import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed
from torhaus.model.auditing import AuditSettings


def settings(text: str) -> AuditSettings:
    return load_text(text, "t.yml", {}).settings.audit


def test_without_a_word_records_are_durable_and_go_nowhere_else() -> None:
    assert settings("{}") == AuditSettings(durability="durable", flush=0.02)


def test_what_is_said_reaches_the_settings() -> None:
    found = settings(
        "audit_logs: {durability: async, flush: 50ms, sinks: [{name: out, stdout: true}], "
        "sink_patience: 2d}"
    )

    assert (found.durability, found.flush, found.sink_patience) == ("async", 0.05, 172_800.0)
    assert [sink.name for sink in found.sinks] == ["out"]


def test_questions_have_names_and_can_be_changed_without_a_restart() -> None:
    text = "audit_logs: {queries: {who-merged: SELECT 1}}"
    settings = load_text(text, "torhaus.yml", {}).settings

    assert settings.queries == {"who-merged": "SELECT 1"}
    assert restart_needed(load_text("{}", "torhaus.yml", {}).settings, settings) == []


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ("{Who Merged: SELECT 1}", "this is not a question's name"),
        ("{who: ''}", "the question is empty"),
        ("{who: %s}" % ("x" * 20_000), "this is no question"),
        ("{who: [1]}", "audit_logs.queries"),
    ],
)
def test_what_is_no_question_is_a_mistake(queries: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"audit_logs: {{queries: {queries}}}", "torhaus.yml", {})

    assert said in str(caught.value)


@pytest.mark.parametrize("word", ["strict", "durable", "async"])
def test_every_durability_reaches_the_settings(word: str) -> None:
    assert settings(f"audit_logs: {{durability: {word}}}").durability == word


@pytest.mark.parametrize("word", ["deny", "allow"])
def test_what_happens_without_records_reaches_the_settings(word: str) -> None:
    assert settings(f"audit_logs: {{on_failure: {word}}}").on_failure == word


def test_an_unknown_word_names_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match=r"on_failure(.|\n)*deny"):
        settings("audit_logs: {on_failure: ignore}")
