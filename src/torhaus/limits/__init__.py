"""Is there budget left? Pure arithmetic over windows."""
