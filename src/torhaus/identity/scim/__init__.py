"""SCIM 2.0 (RFC 7643, 7644) as Okta, Entra ID and others speak it: what is pure of it."""
