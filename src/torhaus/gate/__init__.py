"""The straight line a call walks, and the sessions it walks in."""
