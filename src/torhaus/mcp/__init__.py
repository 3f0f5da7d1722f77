"""The protocol, without I/O: messages, eras, event streams, seals."""
