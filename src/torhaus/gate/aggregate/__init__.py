"""Many servers behind one address: requests find their server, what comes back finds its name."""
