from torhaus.config.auditing import AuditLogs, audit_settings
from torhaus.model.auditing import AuditSettings


def test_without_a_word_records_are_durable() -> None:
    assert audit_settings(AuditLogs()) == AuditSettings(durability="durable", flush=0.02)
