"""``idemix/credential`` and ``idemix/cri``: anonymous credentials, which this CA does not issue.

(Fabric: fabric-ca lib/serveridemixenroll.go, lib/serveridemixcri.go)
"""

from __future__ import annotations

from typing import NoReturn

from ..context import RequestContext
from ..refusals import Code, Refusal


def credential(context: RequestContext) -> NoReturn:
    """Refuse, after finding out who asks as fabric-ca does."""
    if context.request.authorization.lower().startswith("basic "):
        context.authenticate_by_secret()
    else:
        context.authenticate_by_token()
    message = "Idemix credentials are not issued here; enroll for an X.509 certificate instead"
    raise Refusal(501, Code.UNKNOWN, message)
