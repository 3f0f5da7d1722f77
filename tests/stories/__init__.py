"""The promises of the product, kept over real HTTP by a gateway in a process of its own."""
