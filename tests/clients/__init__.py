"""Real clients and real servers, with the gate between them."""
