import json

from torhaus.web.oauth.replies import error, told


def test_an_error_is_plain_text_for_machines() -> None:
    said = error("invalid_grant", 'it "is"\nover: ü', 401, www_authenticate="Basic")

    found = json.loads(bytes(said.body))
    assert found == {"error": "invalid_grant", "error_description": "it 'is''over: '"}
    assert said.status_code == 401
    assert said.headers["www-authenticate"] == "Basic"


def test_no_answer_is_kept_by_caches() -> None:
    assert told({}).headers["cache-control"] == "no-store"
    assert told({}).headers["pragma"] == "no-cache"
    assert told({}).headers["x-content-type-options"] == "nosniff"
