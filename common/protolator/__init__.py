"""Fabric's messages as JSON that people can read and edit, and back.

``decode(message)`` opens every bytes field whose content is a message too, all the way down;
``encode(type, tree)`` closes them again; ``assign`` and ``remove`` change a place in between.
The form is that of ``configtxlator proto_decode`` and ``proto_encode`` (hyperledger/fabric-config:
protolator).
"""

from .decoding import DEPTH_LIMIT, Json, decode, render
from .encoding import NotThisMessage, encode
from .kinds import UnknownKind, kind_named, recognise, recognise_json
from .paths import BadPath, assign, remove

__all__ = [
    "DEPTH_LIMIT",
    "BadPath",
    "Json",
    "NotThisMessage",
    "UnknownKind",
    "assign",
    "decode",
    "encode",
    "kind_named",
    "recognise",
    "recognise_json",
    "remove",
    "render",
]
