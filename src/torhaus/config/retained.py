"""What `audit_logs.retention` and `storage.audit` come to, and doubts about them."""

from torhaus.config.retaining import retention
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source
from torhaus.model.keeping import FROZEN, After, Retention

_DAY = 86400


def retained(source: Source, file: File) -> Retention:
    """Mistakes go to `source.problems`, doubts to `source.warnings`."""
    logs, bucket = file.audit_logs, file.storage.audit
    found = retention(logs.retention, logs.after_retention)
    if logs.after_retention is not None and logs.retention is None:
        here: Path = ("audit_logs", "after_retention")
        source.error(here, "nothing ever ends", "say when: add audit_logs.retention")
    if logs.retention is not None and found.after is After.KEEP:
        last = found.cold or found.warm or found.hot or 0.0
        message = f"records older than {last / _DAY:g} days stay: nothing says what becomes of them"
        fix = "add audit_logs.after_retention: delete, or archive"
        source.warn(("audit_logs", "retention"), message, fix)
    if bucket is None:
        return found
    where: Path = ("storage", "audit")
    if logs.retention is None or (found.warm is None and found.cold is None):
        source.warn(
            where,
            "nothing is ever moved there",
            "add warm_storage or cold_storage to audit_logs.retention",
        )
    if bucket.plaintext is not None and not (bucket.endpoint or "").startswith("http:"):
        source.warn((*where, "plaintext"), "the endpoint is https", "remove plaintext")
    if found.cold is None and bucket.storage_class.cold in FROZEN:
        source.warn((*where, "storage_class"), "there is no cold tier", "add cold_storage")
    return found
