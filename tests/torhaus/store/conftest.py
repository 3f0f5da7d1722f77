from collections.abc import Iterator

import pytest

from tests.torhaus.store.audit.s3 import S3, server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One server for all tests; each makes buckets of its own."""
    with server() as running:
        yield running
