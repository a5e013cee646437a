"""The root of every error Gridloom raises.

Each folder keeps its own branch beside the noun it belongs to; each error carries the
data it speaks of, not only a sentence.  The whole tree is drawn in docs/errors.md.
"""

from __future__ import annotations


class GridloomError(Exception):
    """Root of the tree: catch this to catch anything Gridloom itself reports."""


class MalformedMessage(GridloomError):
    """Bytes that do not parse as what they claim to be.

    what: the message or field expected; reason: the parser's own words.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason
