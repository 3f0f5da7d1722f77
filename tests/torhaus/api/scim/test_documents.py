from torhaus.api.scim.documents import everything

BASE = "https://gw.example/scim/v2"


def test_what_we_can_do_is_described() -> None:
    found = everything(BASE)

    config = found["ServiceProviderConfig"]
    assert config["patch"] == {"supported": True}
    assert config["bulk"]["supported"] is False
    assert config["meta"]["location"] == f"{BASE}/ServiceProviderConfig"
    assert {each["id"] for each in found["ResourceTypes"]["Resources"]} == {"User", "Group"}
    user = found["Schemas/urn:ietf:params:scim:schemas:core:2.0:User"]
    assert {"userName", "emails", "active"} <= {each["name"] for each in user["attributes"]}
    assert "password" not in {each["name"] for each in user["attributes"]}
