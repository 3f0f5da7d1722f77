"""`/scim/v2`: users and groups that a company's identity provider pushes."""
