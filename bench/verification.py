"""The yardstick: P-256 verifications one core does in a second, measured beside the load.

Machines differ, so every figure is also given as a ratio to this one.
"""

from __future__ import annotations

import time

SECONDS = 0.25


def verifications_per_second(seconds: float = SECONDS) -> float:
    """Verify one signature again and again for so many CPU seconds; the best of three parts."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    algorithm = ec.ECDSA(SHA256())
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(b"message", algorithm)

    def rate() -> float:
        count, started = 0, time.process_time()
        while (used := time.process_time() - started) < seconds / 3:
            for _ in range(50):
                public.verify(signature, b"message", algorithm)
            count += 50
        return count / used

    return max(rate() for _ in range(3))
