"""How much a call costs, beside nginx in the same run."""
