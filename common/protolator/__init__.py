"""Fabric's messages as JSON that people can read and edit, and back.

``decode(message)`` opens every bytes field whose content is a message too, all the way down;
``encode(type, tree)`` closes them again.  The form is that of ``configtxlator proto_decode`` and
``proto_encode`` (hyperledger/fabric-config: protolator).
"""

from .decoding import DEPTH_LIMIT, Json, decode, render
from .encoding import NotThisMessage, encode

__all__ = ["DEPTH_LIMIT", "Json", "NotThisMessage", "decode", "encode", "render"]
