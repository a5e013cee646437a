"""Enrollment secrets, stored as Argon2id hashes (RFC 9106).

The parameters are OWASP's: 19 MiB, two passes.  A hash names its own, so that they can be
raised later.  (Fabric: bcrypt in fabric-ca lib/dbaccessor.go)
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MEMORY: Final = 19 * 1024  # KiB
PASSES: Final = 2
_SALT: Final = 16
_LENGTH: Final = 32
_GENERATED: Final = 12
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def hash_secret(secret: str, random_bytes: Callable[[int], bytes]) -> str:
    """Return the hash, in the PHC text form; takes some 25 ms."""
    kdf = Argon2id(
        salt=random_bytes(_SALT),
        length=_LENGTH,
        iterations=PASSES,
        lanes=1,
        memory_cost=MEMORY,
    )
    return kdf.derive_phc_encoded(secret.encode())


def is_secret(secret: str, hashed: str | None) -> bool:
    """Does the hash belong to the secret? Compared in constant time.

    hashed: None for somebody who does not exist, which takes as long and is False.
    """
    try:
        Argon2id.verify_phc_encoded(secret.encode(), hashed or _nobody())
    except (InvalidKey, ValueError):
        return False
    return hashed is not None


@cache
def _nobody() -> str:
    """A hash that costs what a real one costs, and that no secret has."""
    salt, tag = (base64.b64encode(b"\x00" * size).decode().rstrip("=") for size in (_SALT, _LENGTH))
    return f"$argon2id$v=19$m={MEMORY},t={PASSES},p=1${salt}${tag}"


def generate_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return twelve random letters, as fabric-ca gives to those who name no secret."""
    letters: list[str] = []
    usable = len(_LETTERS) * (256 // len(_LETTERS))  # the rest would favour some letters
    while len(letters) < _GENERATED:
        letters += [_LETTERS[each % len(_LETTERS)] for each in random_bytes(32) if each < usable]
    return "".join(letters[:_GENERATED])
