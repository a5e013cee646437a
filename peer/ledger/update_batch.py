"""Everything that one block changes in the state: one entry for each key, the last one.

A deletion is an entry with an empty value and the version of the deleting transaction.
(Fabric: privacyenabledstate/types.go.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .state_db import StateSnapshot, Version, VersionedValue, hashed_namespace, private_namespace

Updates = dict[bytes, VersionedValue]
CollectionUpdates = dict[tuple[str, str], Updates]


@dataclass(slots=True)
class UpdateBatch:
    """Changes by namespace, and by (namespace, collection) for hashes and cleartext.

    purged: (namespace, collection, key hash) of private keys to be wiped with all their past
    before this version.
    """

    public: dict[str, Updates] = field(default_factory=dict)
    hashed: CollectionUpdates = field(default_factory=dict)
    private: CollectionUpdates = field(default_factory=dict, repr=False)
    purged: dict[tuple[str, str, bytes], Version] = field(default_factory=dict)

    def pending(self, namespace: str, collection: str, key: bytes) -> VersionedValue | None:
        """Entry of a public key (collection "") or of a key hash; None if untouched."""
        return self._updates(namespace, collection).get(key)

    def put(self, namespace: str, collection: str, key: bytes, entry: VersionedValue) -> None:
        """Set the entry of a public key (collection "") or of a key hash."""
        if collection:
            self.hashed.setdefault((namespace, collection), {})[key] = entry
        else:
            self.public.setdefault(namespace, {})[key] = entry

    def namespaces(self) -> set[str]:
        """The namespaces that change, themselves or in a collection."""
        collections = (*self.hashed, *self.private)
        return {*self.public, *(namespace for namespace, _ in collections)}

    def stored(self) -> Iterator[tuple[str, Updates]]:
        """All changes by the namespace they are stored in."""
        yield from self.public.items()
        for (namespace, collection), updates in self.hashed.items():
            yield hashed_namespace(namespace, collection), updates
        for (namespace, collection), updates in self.private.items():
            yield private_namespace(namespace, collection), updates

    def _updates(self, namespace: str, collection: str) -> Updates:
        if collection:
            return self.hashed.get((namespace, collection), {})
        return self.public.get(namespace, {})


@dataclass(frozen=True, slots=True)
class StateAfter:
    """Public values as they will be once a batch is applied to the state before it."""

    batch: UpdateBatch
    before: StateSnapshot

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The value of a key, never empty; None if absent."""
        encoded = key.encode()
        entry = self.batch.pending(namespace, "", encoded) or self.before.get(namespace, encoded)
        return entry.value or None if entry else None
