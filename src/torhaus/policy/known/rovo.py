"""The tools of Atlassian's own server (mcp.atlassian.com), as its documentation listed them.

First version: the list of 2026-08-12. Second version (`/v2/mcp?tools=all`): names of 2026-09-04;
nobody outside has its schemas, so what its tools are about counts as unknown.
"""

from torhaus.policy.known.jira import issue, project
from torhaus.policy.known.rows import hidden, tool, tools

_ISSUE = (issue("issueIdOrKey"),)
_PROJECT = (project("projectIdOrKey"),)
_ANY = ("projects",)
_REPOS = ("repos",)

_FIRST = {
    **tools("atlassianUserInfo getAccessibleAtlassianResources", "read", "users"),
    **tools(
        "getJiraIssue getJiraIssueRemoteIssueLinks getTransitionsForJiraIssue",
        "read", "issues", targets=_ISSUE,
    ),
    "searchJiraIssuesUsingJql": tool("read", "issues", blind=_ANY),
    **tools(
        "getJiraIssueTypeMetaWithFields getJiraProjectIssueTypesMetadata",
        "read", "projects", targets=_PROJECT,
    ),
    "getVisibleJiraProjects": tool("read", "projects", blind=_ANY),
    "getIssueLinkTypes": tool("read", "fields"),
    "lookupJiraAccountId": tool("read", "users", tags="personal"),
    **tools(
        "addCommentToJiraIssue addWorklogToJiraIssue editJiraIssue transitionJiraIssue",
        "write", "issues", targets=_ISSUE,
    ),
    "createJiraIssue": tool(
        "write", "issues",
        targets=(
            project("projectKey"), issue("parent", "none"),
            *hidden("projects", "additional_fields", "additionalFields"),
        ),
    ),
    "createIssueLink": tool("write", "issues", blind=_ANY),
    **tools(
        "getConfluencePage getConfluencePageDescendants getConfluencePageFooterComments"
        " getConfluencePageInlineComments getConfluenceCommentChildren"
        " getPagesInConfluenceSpace searchConfluenceUsingCql",
        "read", "pages", blind=_ANY,
    ),
    "getConfluenceSpaces": tool("read", "spaces", blind=_ANY),
    **tools(
        "createConfluencePage updateConfluencePage createConfluenceFooterComment"
        " createConfluenceInlineComment",
        "write", "pages", blind=_ANY,
    ),
    **tools("getJsmOpsAlerts getJsmOpsScheduleInfo getJsmOpsTeamInfo", "read", "alerts"),
    "updateJsmOpsAlert": tool("write", "alerts"),
    **tools(
        "getCompassComponent getCompassComponents getCompassComponentActivityEvents"
        " getCompassComponentLabels getCompassComponentTypes getCompassCustomFieldDefinitions"
        " getCompassComponentsOwnedByMyTeams",
        "read", "components",
    ),
    **tools(
        "createCompassComponent createCompassComponentRelationship"
        " createCompassCustomFieldDefinition",
        "write", "components",
    ),
    # What they search costs credits, and is everything.
    **tools(
        "search searchAtlassian getTeamworkGraphContext getTeamworkGraphObject",
        "read", "*", blind=("projects", "repos"), tags="cost",
    ),
    **tools("fetch fetchAtlassian", "read", "*", blind=("projects", "repos")),
    "addTeamworkGraphContext": tool("write", "*", blind=("projects", "repos"), tags="cost"),
    **tools(
        "bitbucketWorkspace bitbucketRepository bitbucketUser bitbucketDeployment",
        "read", "repos", blind=_REPOS,
    ),
    # An argument chooses among reading and more, but the documentation names no map of it:
    # each needs everything that it might do.
    "bitbucketPullRequest": tool("read write", "pull_requests", blind=_REPOS, tags="merge"),
    "bitbucketRepoContent": tool("read write", "contents", blind=_REPOS),
    "bitbucketPipeline": tool("read execute", "pipelines", blind=_REPOS),
    "bitbucketEnvironment": tool("read write delete", "environments", blind=_REPOS),
}  # fmt: skip

_SECOND = {
    **tools("getJiraCurrentUser", "read", "users"),
    **tools(
        "findJiraIssueAssignableUsers listJiraIssueAssignableUsers",
        "read", "users", blind=_ANY, tags="personal",
    ),
    **tools(
        "listJiraIssueComments listJiraIssueTransitions downloadJiraIssueAttachment"
        " getJiraBoardIssueData",
        "read", "issues", blind=_ANY,
    ),
    **tools("getJiraBoardConfig listJiraBoards", "read", "boards", blind=_ANY),
    **tools("getJiraBoardSprintData listJiraBoardSprints", "read", "sprints", blind=_ANY),
    **tools("listJiraProjects", "read", "projects", blind=_ANY),
    **tools("getJiraProjectVersions", "read", "versions", blind=_ANY),
    **tools("listJiraFilters listJiraStatuses", "read", "fields", blind=_ANY),
    **tools(
        "addOrEditJiraIssueComment addOrEditJiraIssueWorklog createJiraIssueLink watchJiraIssue",
        "write", "issues", blind=_ANY,
    ),
    "uploadAttachmentToJiraIssue": tool("write", "issues", blind=_ANY, tags="exfiltration"),
    "manageJiraSprint": tool("write", "sprints", blind=_ANY),
    **tools(
        "deleteJiraIssue deleteJiraComment deleteJiraIssueAttachment",
        "delete", "issues", blind=_ANY,
    ),
    **tools(
        "getConfluenceAttachment getConfluenceComment getConfluenceContent"
        " getConfluenceContentPermissions getConfluenceContentRestrictionState"
        " listConfluenceAttachments listConfluenceComments listConfluenceContent"
        " listConfluenceTasks searchConfluence",
        "read", "pages", blind=_ANY,
    ),
    **tools("getConfluenceSpace listConfluenceSpaces", "read", "spaces", blind=_ANY),
    **tools(
        "addLabelsToConfluenceContent archiveConfluenceContent completeConfluenceTask"
        " createConfluenceComment createConfluenceContent moveConfluenceContent"
        " updateConfluenceComment updateConfluenceContent",
        "write", "pages", blind=_ANY,
    ),
    "createConfluenceAttachment": tool("write", "pages", blind=_ANY, tags="exfiltration"),
    **tools(
        "addConfluenceContentPermissions removeConfluenceContentPermissions"
        " replaceConfluenceContentPermissions setConfluenceContentRestrictionState",
        "admin", "pages", blind=_ANY,
    ),
    # A page for everyone on the internet.
    "enableConfluencePublicLink": tool("admin", "pages", blind=_ANY, tags="exfiltration"),
    **tools(
        "getBitbucketRepoBranch getBitbucketRepository listBitbucketRepositories"
        " listBitbucketWorkspaces",
        "read", "repos", blind=_REPOS,
    ),
    **tools(
        "getBitbucketRepoCommit getBitbucketRepoFileContent", "read", "contents", blind=_REPOS
    ),
    **tools(
        "getBitbucketRepoPullRequest getBitbucketRepoPullRequestDiff"
        " listBitbucketRepoPullRequestComments listBitbucketRepoPullRequests",
        "read", "pull_requests", blind=_REPOS,
    ),
    **tools("getBitbucketRepoPipeline listBitbucketRepoPipelines", "read", "pipelines",
            blind=_REPOS),
    "getBitbucketRepoPipelineStepLog": tool("read", "pipelines", blind=_REPOS, tags="sensitive"),
    "createBitbucketRepoBranch": tool("write", "contents", blind=_REPOS),
    **tools(
        "addBitbucketRepoPullRequestComment approveBitbucketRepoPullRequest"
        " createBitbucketRepoPullRequest requestChangesOnBitbucketRepoPullRequest"
        " updateBitbucketRepoPullRequest",
        "write", "pull_requests", blind=_REPOS,
    ),
    "mergeBitbucketRepoPullRequest": tool("write", "pull_requests", blind=_REPOS, tags="merge"),
    "runBitbucketRepoPipeline": tool("execute", "pipelines", blind=_REPOS),
    **tools("discover getToolDescription", "read", "docs"),
    # It runs any operation there is, and names it in a way that is not documented.
    "execute": tool(
        "read write delete admin execute", "*", blind=("projects", "repos"), tags="cost"
    ),
}  # fmt: skip

ROWS = {**_FIRST, **_SECOND}
