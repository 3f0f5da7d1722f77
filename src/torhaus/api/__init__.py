"""The HTTP API for administration: everything the command line and the pages can do."""
