"""The token by which an enrolled identity shows who it is, one for each request.

Its form is ``b64(certificate).b64(signature)``, the signature over method, URI, body and
certificate (Fabric: fabric-ca util/util.go CreateToken).
"""

from __future__ import annotations

from base64 import b64encode

from gridloom.common import crypto


def token(
    method: str, uri: str, body: bytes, certificate_pem: bytes, key: crypto.PrivateKey
) -> str:
    """Return the Authorization header of a request; uri: path and query, as they are sent."""
    certificate = b64encode(certificate_pem)
    signature = crypto.sign(key, signed_part(method, uri, body, certificate))
    return f"{certificate.decode()}.{b64encode(signature).decode()}"


def signed_part(method: str, uri: str, body: bytes, certificate: bytes) -> bytes:
    """Return what a token's signature is made over; certificate: in base64."""
    return b".".join((method.encode(), b64encode(uri.encode()), b64encode(body), certificate))
