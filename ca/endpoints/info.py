"""``cainfo``: what a CA is called and whom to trust for it.

(Fabric: fabric-ca lib/serverinfo.go)
"""

from __future__ import annotations

from typing import Final

from gridloom import __version__

from ..context import RequestContext
from ..messages import Answer

VERSION: Final = f"v1.5-gridloom-{__version__}"
"""Clients look at the first two numbers: the version of fabric-ca whose interface this is."""


def cainfo(context: RequestContext) -> Answer:
    """Anybody may ask."""
    return Answer(context.authority.info(VERSION))
