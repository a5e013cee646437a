"""Plain dictionaries with the interfaces of the lifecycle's state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass
class DictState:
    """Readable, writable, rangeable and opaque state; remembers what was asked and written."""

    values: dict[str, bytes] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    writes: dict[str, bytes | None] = field(default_factory=dict)

    def get_state(self, key: str) -> bytes | None:
        self.reads.add(key)
        return self.values.get(key)

    def get_state_hash(self, key: str) -> bytes | None:
        value = self.get_state(key)
        return None if value is None else hashlib.sha256(value).digest()

    def get_state_range(self, prefix: str) -> list[tuple[str, bytes]]:
        return sorted(item for item in self.values.items() if item[0].startswith(prefix))

    def put_state(self, key: str, value: bytes) -> None:
        self.writes[key] = value

    def delete_state(self, key: str) -> None:
        self.writes[key] = None

    def commit(self) -> DictState:
        """The state a next transaction would see."""
        merged = {**self.values, **self.writes}
        return DictState({key: value for key, value in merged.items() if value is not None})
