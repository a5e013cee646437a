"""How much entries count where sizes are limited (etcd: the sizes in util.go).

The encoded size is as etcd writes an entry since v3.7: without the type of a normal entry, two
bytes that Fabric's orderers still write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .messages import Entry


def entry_size(entry: Entry) -> int:
    """The encoded bytes of an entry."""
    size = 2 + varint_size(entry.term) + varint_size(entry.index)
    if entry.type:
        size += 2
    if entry.data:
        length = len(entry.data)
        size += 1 + varint_size(length) + length
    return size


def entries_size(entries: Iterable[Entry]) -> int:
    """The encoded bytes of several entries."""
    return sum(map(entry_size, entries))


def payloads_size(entries: Iterable[Entry]) -> int:
    """The bytes of the application's data alone; a new leader's first entry counts nothing."""
    return sum(len(entry.data) for entry in entries)


def limit_size(entries: Sequence[Entry], max_size: int) -> Sequence[Entry]:
    """The longest beginning that fits into ``max_size`` encoded bytes; at least one entry."""
    size = 0
    for count, entry in enumerate(entries):
        size += entry_size(entry)
        if size > max_size and count:
            return entries[:count]
    return entries


def varint_size(value: int) -> int:
    """The encoded bytes of a number."""
    return (value.bit_length() + 6) // 7 or 1
