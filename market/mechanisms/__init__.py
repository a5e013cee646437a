"""All mechanisms by name: the literature's comparators and each paper's own.

See mechanism.py for how one is added.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..mechanism import MechanismEntry
from . import literature, p000, p001, p002, p003, p004

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType(
    {
        **literature.MECHANISMS,
        **p000.MECHANISMS,
        **p001.MECHANISMS,
        **p002.MECHANISMS,
        **p003.MECHANISMS,
        **p004.MECHANISMS,
    }
)
