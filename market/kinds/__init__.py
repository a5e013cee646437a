"""Kinds of case that `gridloom market solve` answers, one module for each paper.

A kind is a function from a case's fields (cases.Fields) to its output, as plain JSON
values; a bad field is refused with `fields.fail(path, reason)`.  To add one, write the
function into its paper's module and name it in that module's `KINDS`.  No name may be
used by two papers.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from types import MappingProxyType

from ..cases import Kind
from . import p000, p001, p002, p003, p004

PAPERS: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        "p000": p000.KINDS,
        "p001": p001.KINDS,
        "p002": p002.KINDS,
        "p003": p003.KINDS,
        "p004": p004.KINDS,
    }
)

KINDS: Mapping[str, Kind] = MappingProxyType(dict(ChainMap(*map(dict, PAPERS.values()))))
