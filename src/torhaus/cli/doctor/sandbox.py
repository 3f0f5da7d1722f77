"""What holds questions to the audit log back on this machine."""

from torhaus.cli.doctor.finding import Finding, doubt, good
from torhaus.store.query.sandbox import held_back


def finding() -> Finding:
    lacks = held_back()
    if lacks is None:
        return good("audit queries", "the kernel (Landlock) holds them back")
    fix = "use Linux 5.13 or newer with landlock among its lsm=, or give nobody torhaus:audit:read"
    return doubt("audit queries", lacks, fix)
