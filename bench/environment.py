"""The machine and the versions that figures were taken on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

_DISTRIBUTIONS = ("gridloom", "grpcio", "protobuf", "cryptography", "sqlalchemy", "uvloop")


def environment(verifications: float, network: str, workers: int) -> dict[str, Any]:
    """Return what a result says of where it comes from.

    verifications: P-256, a second, of one core; network: what was measured, in words.
    """
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "network": network,
        "workers": workers,
        "p256_verifications_per_s": round(verifications),
        "cores": os.cpu_count(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _DISTRIBUTIONS},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        return platform.processor()  # no Linux
    return platform.processor()
