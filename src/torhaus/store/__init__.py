"""Where things are kept: audit segments, cache, counters."""
