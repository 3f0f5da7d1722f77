from torhaus.config.load import load_text
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
