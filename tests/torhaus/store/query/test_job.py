from torhaus.audit.holdings import Segment
from torhaus.store.query.job import Job


def test_the_files_of_a_job_are_its_segments_and_days() -> None:
    job = Job(sql="", segments=(Segment("s"),), days=("d",), rows=1, octets=1, seconds=1)

    assert job.files == ["s", "d"]
