"""The tools of Firebase's own server (`firebase mcp`): firebase-tools 15.34.2.

With those of 14.10, 14.24 and 15.10 that have gone, and the ones it fetches from Google's servers
(Data Connect by its own list, Firestore by their documentation). Which project they work on is
kept in the server's own state, so a rule on projects refuses them all.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tool, tools
from torhaus.policy.known.spec import ServerSpec

PARENTS = {"documents": "databases"}

_SERVER = ServerSpec(
    # Whoever picks the database's URL picks the host that Google's token is sent to.
    pinned_args={
        "databaseUrl": r"https://[a-z0-9-]+(\.[a-z0-9-]+)?\.(firebasedatabase\.app|firebaseio\.com)"
    },
)
_ANY = ("projects",)

_PROJECTS = {
    **tools("firebase_get_environment firebase_list_projects", "read", "projects"),
    **tools("firebase_get_project firebase_read_resources", "read", "projects", blind=_ANY),
    "firebase_create_project": tool("admin", "projects", blind=_ANY),
    # It moves every later call, of whoever shares the server, to another project or account.
    **tools(
        "firebase_update_environment firebase_login firebase_logout",
        "admin", "projects", blind=_ANY,
    ),
    "firebase_init": tool("write", "projects", blind=_ANY),
    "firebase_deploy": tool("execute", "deployments", blind=_ANY),
    "firebase_deploy_status": tool("read", "deployments", blind=_ANY),
    **tools("firebase_list_apps firebase_get_sdk_config", "read", "apps", blind=_ANY),
    **tools("firebase_create_app firebase_create_android_sha", "write", "apps", blind=_ANY),
    "firebase_get_admin_sdk_config": tool("read", "apps", blind=_ANY, tags="sensitive"),
    **tools(
        "firebase_get_security_rules firebase_validate_security_rules firestore_get_rules"
        " firestore_validate_rules storage_get_rules storage_validate_rules",
        "read", "rules", blind=_ANY,
    ),
    "firebase_consult_assistant": tool("execute", "docs", tags="cost"),
    **tools(
        "developerknowledge_search_documents developerknowledge_get_documents", "read", "docs"
    ),
}  # fmt: skip

_USERS = {
    **tools("auth_get_users auth_get_user auth_list_users", "read", "users", blind=_ANY,
            tags="personal"),
    # Claims are rights.
    **tools(
        "auth_update_user auth_disable_user auth_set_claim auth_set_sms_region_policy",
        "admin", "users", blind=_ANY,
    ),
    "messaging_send_message": tool("write", "messages", blind=_ANY),
}  # fmt: skip

_DATA = {
    **tools(
        "firestore_query_collection firestore_get_documents firestore_get_document"
        " firestore_list_documents firestore_list_collections realtimedatabase_get_data",
        "read", "documents", blind=_ANY,
    ),
    **tools(
        "firestore_add_document firestore_update_document", "write", "documents", blind=_ANY
    ),
    "firestore_delete_document": tool("delete", "documents", blind=_ANY),
    # It replaces all that is below a path, and null leaves nothing.
    "realtimedatabase_set_data": tool("write delete", "documents", blind=_ANY),
    **tools(
        "firestore_list_databases firestore_get_database firestore_list_indexes"
        " firestore_get_index dataconnect_list_services dataconnect_get_schema"
        " dataconnect_get_connectors dataconnect_list_locations dataconnect_build",
        "read", "databases", blind=_ANY,
    ),
    **tools(
        "firestore_create_database firestore_update_database firestore_create_index",
        "admin", "databases", blind=_ANY,
    ),
    **tools(
        "firestore_delete_database firestore_delete_index", "admin delete", "databases", blind=_ANY
    ),
    # Google's service refuses mutations there.
    "dataconnect_execute_graphql_read": tool("read", "documents", blind=_ANY),
    **tools(
        "dataconnect_execute dataconnect_execute_graphql dataconnect_execute_mutation"
        " dataconnect_execute_query dataconnect_execute_in_emulator",
        "execute", "databases", blind=_ANY,
    ),
    **tools(
        "dataconnect_generate_schema dataconnect_generate_operation dataconnect_generate_query"
        " dataconnect_generate_query_from_schema",
        "execute", "databases", blind=_ANY, tags="cost",
    ),
    # The link it answers with opens the object to whoever has it.
    "storage_get_object_download_url": tool("read", "files", blind=_ANY, tags="exfiltration"),
}  # fmt: skip

_OPERATIONS = {
    **tools(
        "crashlytics_batch_get_events crashlytics_list_events", "read", "events", blind=_ANY
    ),
    **tools(
        "crashlytics_get_issue crashlytics_get_report crashlytics_list_notes"
        " crashlytics_list_top_issues crashlytics_get_top_issues crashlytics_get_top_variants"
        " crashlytics_get_top_versions crashlytics_get_top_apple_devices"
        " crashlytics_get_top_android_devices crashlytics_get_top_operating_systems",
        "read", "issues", blind=_ANY,
    ),
    **tools("crashlytics_create_note crashlytics_update_issue", "write", "issues", blind=_ANY),
    "crashlytics_delete_note": tool("delete", "issues", blind=_ANY),
    **tools("apphosting_fetch_logs functions_get_logs", "read", "logs", blind=_ANY,
            tags="sensitive"),
    "apphosting_list_backends": tool("read", "apps", blind=_ANY),
    "functions_list_functions": tool("read", "functions", blind=_ANY),
    "remoteconfig_get_template": tool("read", "settings", blind=_ANY),
    **tools(
        "remoteconfig_update_template remoteconfig_publish_template"
        " remoteconfig_rollback_template",
        "write", "settings", blind=_ANY,
    ),
    "apptesting_check_status": tool("read", "tests", blind=_ANY),
    "apptesting_run_test": tool("execute", "tests", blind=_ANY, tags="cost"),
}  # fmt: skip

TOOLS = table({**_PROJECTS, **_USERS, **_DATA, **_OPERATIONS}, _SERVER)
