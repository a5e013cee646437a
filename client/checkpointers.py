"""Remembering how far events were handled (official SDKs: Checkpointer).

A listener that checkpoints after each event it has handled resumes, after a crash, with
the event behind the last one, neither skipping nor repeating any.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError

_MAX_BLOCK = 2**64 - 1


class CheckpointError(GridloomError):
    """A checkpoint file whose content is not a checkpoint."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: not a checkpoint file: {reason}")
        self.path = path
        self.reason = reason


class Checkpoint(Protocol):
    """Where to go on: a block, and the last transaction handled in it ("" for none)."""

    @property
    def block_number(self) -> int | None:
        """The block to start with; None before anything was recorded."""

    @property
    def transaction_id(self) -> str:
        """The transaction in that block to start behind."""


class Checkpointer(Checkpoint, Protocol):
    """A checkpoint that moves."""

    def checkpoint_block(self, block_number: int) -> None:
        """Record that a whole block was handled."""

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """Record that a block was handled up to and with this transaction."""

    def checkpoint_chaincode_event(self, event: HandledEvent) -> None:
        """Record that an event was handled."""


class HandledEvent(Protocol):
    """What a checkpoint needs of an event; ``ChaincodeEvent`` is one."""

    @property
    def block_number(self) -> int: ...

    @property
    def transaction_id(self) -> str: ...


class InMemoryCheckpointer:
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self.block_number: int | None = None
        self.transaction_id = ""

    def checkpoint_block(self, block_number: int) -> None:
        """Record that a whole block was handled."""
        self.checkpoint_transaction(block_number + 1, "")

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """Record that a block was handled up to and with this transaction."""
        self.block_number = block_number
        self.transaction_id = transaction_id

    def checkpoint_chaincode_event(self, event: HandledEvent) -> None:
        """Record that an event was handled; a transaction has one event at most."""
        self.checkpoint_transaction(event.block_number, event.transaction_id)


class FileCheckpointer(InMemoryCheckpointer):
    """Keeps the checkpoint in a file of the official SDKs' form.

    path: created when missing; CheckpointError if it holds something else.  Block 0 without a
    transaction, which is how the Go SDK begins, counts as nothing recorded.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists() and (content := path.read_bytes()).strip():
            self._load(content)
        else:
            self._save()

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """Record it in the file, whole or not at all."""
        super().checkpoint_transaction(block_number, transaction_id)
        self._save()

    def _load(self, content: bytes) -> None:
        try:
            state = load_json(content)
            transaction_id = str(state.get("transactionId") or "")
            number = int(state.get("blockNumber") or 0)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise CheckpointError(self._path, str(error)) from error
        if not 0 <= number <= _MAX_BLOCK:
            raise CheckpointError(self._path, f"block {number}")
        self.block_number = number if number or transaction_id else None
        self.transaction_id = transaction_id

    def _save(self) -> None:
        state: dict[str, int | str] = {}
        if self.block_number is not None:
            state["blockNumber"] = self.block_number
        if self.transaction_id:
            state["transactionId"] = self.transaction_id
        temporary = self._path.with_name(self._path.name + ".new")
        temporary.write_text(json.dumps(state))
        os.replace(temporary, self._path)
