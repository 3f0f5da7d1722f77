"""The audit log on disk: segments, the signed journal, and the thread that writes them."""
