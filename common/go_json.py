"""JSON as Go's encoding/json writes it, for answers that are compared with Fabric's."""

from __future__ import annotations

import json

_ESCAPED = "<>&\u2028\u2029"


def go_json(value: object, *, indent: str = "", sort_keys: bool = False) -> str:
    """Return the text: as short as it can be, or indented; no bare < > & in it."""
    if indent:
        text = json.dumps(value, indent=indent, sort_keys=sort_keys, ensure_ascii=False)
    else:
        text = json.dumps(value, separators=(",", ":"), sort_keys=sort_keys, ensure_ascii=False)
    for character in _ESCAPED:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
