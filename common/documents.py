"""JSON and YAML from outside: whatever the text is, it is read or refused, in one way each.

The parsers themselves leave some refusals to Python: a text nested too deeply is a
RecursionError, a date that does not exist a ValueError, an odd tag an AttributeError.
"""

from __future__ import annotations

import json
from typing import Any

_TOO_DEEP = "it is nested too deeply"


def load_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the document holds
    """The value of a JSON text; ValueError if it is none (or bytes without a Unicode form)."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def load_yaml(text: str | bytes, loader: Any = None) -> Any:  # noqa: ANN401
    """The value of a YAML document; yaml.YAMLError if it is none.

    loader: one that makes plain data only; yaml.SafeLoader if None.
    """
    import yaml  # noqa: PLC0415 - whoever reads JSON only need not wait for it

    try:
        return yaml.load(text, Loader=loader or yaml.SafeLoader)  # noqa: S506 - see above
    except RecursionError:
        raise yaml.YAMLError(_TOO_DEEP) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise yaml.YAMLError(f"a value that is none of its kind: {error}") from error
