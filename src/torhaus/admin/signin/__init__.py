"""How people come in through a browser: sessions, links to providers, local accounts."""
