"""Enrolling an intermediate CA with the server of its parent.

(Fabric: fabric-ca lib/ca.go getCACert, lib/clientconfig.go)
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gridloom.common.certificates import Certificate, parse_pem
from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.identity_errors import IdentityError
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.tls_context import client_context

from .home_settings import CertificateSettings, ParentSettings
from .root import distinguished_name
from .subjects import alternative_names

TIMEOUT: Final = 30.0
"""Seconds that the parent may take."""

_PORT: Final = 7054
_MAX_ANSWER: Final = 1 << 20


class ParentRefused(GridloomError):
    """The parent did not certify this CA. parent: ``host:port``; reason: why not."""

    def __init__(self, parent: str, reason: str) -> None:
        super().__init__(f"the parent CA at {parent}: {reason}")
        self.parent = parent
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Certified:
    """certificate: of the intermediate CA; chain: PEM, of its parent and up."""

    certificate: Certificate
    chain: bytes


def enroll_with_parent(
    parent: ParentSettings, settings: CertificateSettings, key: ec.EllipticCurvePrivateKey
) -> Certified:
    """Ask the parent for a certificate of a CA; it will be called as the id in the URL.

    ParentRefused, or OSError when there is no parent to be reached.
    """
    url = urlsplit(parent.url)
    place = f"{url.hostname}:{url.port or _PORT}"
    if url.scheme not in {"http", "https"} or not url.hostname or not url.username:
        raise ParentRefused(place, "expected a URL such as https://id:secret@host:7054")
    body = {
        "certificate_request": _request(unquote(url.username), parent, settings, key),
        "profile": parent.profile,
        "caname": parent.ca_name,
    }
    result = _asked(url, place, parent, body)
    try:
        certificate = parse_pem(base64.b64decode(result["Cert"], validate=True))
        chain = base64.b64decode(result["ServerInfo"]["CAChain"], validate=True)
    except (KeyError, TypeError, binascii.Error, IdentityError) as error:
        raise ParentRefused(place, f"its answer holds no certificate: {error}") from error
    if not certificate.is_ca:
        raise ParentRefused(place, f"it certified {url.username!r}, but not as a CA")
    return Certified(certificate, chain)


def _request(
    name: str,
    parent: ParentSettings,
    settings: CertificateSettings,
    key: ec.EllipticCurvePrivateKey,
) -> str:
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(distinguished_name(settings, name))
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
    )
    hosts = parent.hosts or settings.hosts
    if hosts:
        builder = builder.add_extension(alternative_names(hosts), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _asked(
    url: SplitResult, place: str, parent: ParentSettings, body: dict[str, str]
) -> dict[str, Any]:
    """The result of the parent's answer."""
    secret = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}",
    }
    with closing(_connection(url, parent)) as connection:
        try:
            connection.request("POST", "/api/v1/enroll", json.dumps(body), headers)
            answer = connection.getresponse()
            status, data = answer.status, answer.read(_MAX_ANSWER)
        except ssl.SSLCertVerificationError as error:
            reason = f"its TLS certificate is not trusted: {error.verify_message}"
            raise ParentRefused(place, reason) from error
        except http.client.HTTPException as error:
            raise ParentRefused(place, f"does not speak HTTP: {error!r}") from error
    try:
        document = load_json(data)
        if status < 300:
            return dict(document["result"])
        told = document["errors"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        told = "an answer that is not fabric-ca's"
    raise ParentRefused(place, f"status {status}: {told}")


def _connection(url: SplitResult, parent: ParentSettings) -> http.client.HTTPConnection:
    host, port = url.hostname or "", url.port or _PORT
    if url.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    roots = b"".join(path.read_bytes() for path in parent.tls_roots)
    own = parent.tls_certificate, parent.tls_key
    certificate, key = (None if path is None else path.read_bytes() for path in own)
    context = client_context(ClientTls(roots, certificate, key))
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
