"""Who is calling? From a credential or an address to a principal. Pure."""
