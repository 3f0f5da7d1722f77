from torhaus.policy.known import confluence, jira, rovo
from torhaus.policy.known.atlassian import TOOLS


def test_the_products_share_one_table_in_which_no_name_means_two_things() -> None:
    rows = [*jira.ROWS, *confluence.ROWS, *rovo.ROWS]

    assert len(TOOLS) == len(rows) == len(set(rows))
