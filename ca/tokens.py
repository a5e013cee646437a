"""Tokens: how a request to a CA is signed by an enrollment certificate.

The Authorization header is ``b64(certificate PEM).b64(signature)``; what is signed is
``METHOD.b64(URI).b64(body).b64(certificate PEM)``, the URI as sent, query included.
fabric-ca 1.3 signed only ``b64(body).b64(certificate PEM)``: such a token fits any other route,
so it is taken only where the settings say so.  (Fabric: fabric-ca util/util.go VerifyToken)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from gridloom.common.certificates import Certificate, parse_pem
from gridloom.common.errors import GridloomError
from gridloom.common.identity_errors import IdentityError, InvalidSignature


class InvalidToken(GridloomError):
    """reason: what is wrong with a token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify_token(
    token: str,
    method: str,
    uris: Sequence[str],
    body: bytes,
    *,
    compatible_1_3: bool = False,
) -> Certificate:
    """Return the certificate whose key signed the request; InvalidToken.

    uris: spellings of the URI, any of which will do.  Whether to trust that certificate is for
    the caller to find out.
    """
    encoded, _, rest = token.partition(".")
    if not rest or "." in rest:
        raise InvalidToken("expected 2 parts separated by '.'")
    try:
        certificate = parse_pem(_decode(encoded))
    except IdentityError as error:
        raise InvalidToken(f"no certificate: {error}") from error
    signature = _decode(rest)
    payload = f"{_encode(body)}.{encoded}"
    messages = [f"{method}.{_encode(uri.encode())}.{payload}" for uri in uris]
    if compatible_1_3:
        messages.append(payload)
    reason = ""
    for message in messages:
        try:
            certificate.key.verify(message.encode(), signature)
        except InvalidSignature as error:
            reason = reason or error.reason
        else:
            return certificate
    raise InvalidToken(reason)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidToken(f"malformed base64: {error}") from error
