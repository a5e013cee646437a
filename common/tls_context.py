"""Contexts of Python's ssl from PEM in memory, for gRPC and for HTTP/1.

(Fabric: internal/pkg/comm/config.go, internal/pkg/fabhttp/tls.go)
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .msp_files import write_file
from .rpc.tls import ClientTls, ServerTls

ALPN = ("h2",)
"""How TLS says that HTTP/2 is spoken."""


def server_context(tls: ServerTls, *, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Return a server's context; with client roots every client must show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_chain(context, tls.certificate, tls.private_key)
    if tls.client_roots is not None:
        context.load_verify_locations(cadata=tls.client_roots.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return _speaking(context, alpn)


def client_context(tls: ClientTls, *, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Return a client's context, which checks the server's name against its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=tls.roots.decode())
    if tls.certificate is not None and tls.private_key is not None:
        _load_chain(context, tls.certificate, tls.private_key)
    return _speaking(context, alpn)


def _speaking(context: ssl.SSLContext, alpn: Sequence[str]) -> ssl.SSLContext:
    if alpn:
        context.set_alpn_protocols(list(alpn))
    # An intermediate CA among the roots is trusted as it stands, as Go and gRPC do.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_TRUSTED_FIRST
    return context


def _load_chain(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # Python's ssl reads keys from files only.
    with TemporaryDirectory() as folder:
        certificate_file, key_file = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        write_file(certificate_file, certificate)
        write_file(key_file, key, secret=True)
        context.load_cert_chain(certificate_file, key_file)
