from tests.torhaus.watch.test_metrics import metrics, sample
from torhaus.model.publishing import Evidence, Kept
from torhaus.watch.metrics import Gauges

FILE = Kept(name="file /mnt/head.json", sent=3, failed=1, last=1760970191.0)
HOOK = Kept(name="webhook example.org")


def test_the_proof_and_its_keepers_are_numbers():
    found = metrics(Gauges(evidence=lambda: Evidence(published=(FILE, HOOK))))

    assert sample(found, "mcp_gateway_audit_evidence_ok") == 1
    assert sample(found, "mcp_gateway_audit_heads_total", keeper="1 file", outcome="kept") == 3
    assert sample(found, "mcp_gateway_audit_heads_total", keeper="1 file", outcome="failed") == 1
    assert sample(found, "mcp_gateway_audit_head_last", keeper="1 file") == 1760970191
    assert sample(found, "mcp_gateway_audit_head_last", keeper="2 webhook") == 0
    assert b"/mnt" not in found.render()[0]


def test_a_trouble_is_a_zero():
    found = metrics(Gauges(evidence=lambda: Evidence(trouble="line 3 is damaged")))

    assert sample(found, "mcp_gateway_audit_evidence_ok") == 0
