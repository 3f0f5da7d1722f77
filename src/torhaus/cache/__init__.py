"""Do we know the answer already? Keys and lifetimes. Pure."""
