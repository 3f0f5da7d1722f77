"""Which slot of a cluster a key is in (the cluster specification's CRC-16 over its hash tag)."""

from binascii import crc_hqx

SLOTS = 16384


def slot(key: bytes) -> int:
    begin = key.find(b"{")
    if begin >= 0:
        end = key.find(b"}", begin + 1)
        if end > begin + 1:
            key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS
