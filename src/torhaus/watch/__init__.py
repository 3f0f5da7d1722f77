"""After the fact: metrics, configuration changes, health."""
