"""A CA in a folder, laid out as fabric-ca-server lays it out.

    fabric-ca-server-config.yaml     the settings
    ca-cert.pem, ca-chain.pem        its certificate; an intermediate CA's chain up to the root
    msp/keystore/<SKI>_sk            its key and the server's, 0600, encrypted if so set
    tls-cert.pem                     what the server shows
    fabric-ca-server.db              who is registered, what was issued

What is missing is made: a root certificate, or one from the parent; the server's certificate.
(Fabric: fabric-ca lib/ca.go initKeyMaterial, lib/server.go autoGenerateTLSCertificateKey)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from gridloom.common import crypto
from gridloom.common.certificates import Certificate, parse_pem
from gridloom.common.identity_errors import IdentityError
from gridloom.common.keystore import KeyNotFound, find_key, key_pem, read_key
from gridloom.common.msp_files import write_file
from gridloom.common.rpc.tls import ServerTls

from .authority import Authority, AuthorityUnusable
from .database import Database
from .home_settings import POSTGRES, DatabaseSettings, HomeSettings, ServerTlsSettings
from .issuer import Issuer
from .parent import enroll_with_parent
from .root import distinguished_name, new_key, self_signed
from .subjects import alternative_names

KEYSTORE: Final = Path("msp", "keystore")
_LOCAL: Final = ("localhost", "127.0.0.1")


def open_authority(
    home: HomeSettings,
    now: Callable[[], datetime],
    random_bytes: crypto.RandomBytes = os.urandom,
) -> Authority:
    """Open the CA of a folder, or make it.

    AuthorityUnusable, DatabaseUnusable, ParentRefused; OSError for files and the parent.
    """
    if not home.certificate_file.exists():
        _create(home, now(), random_bytes)
    name = home.authority.name
    certificate = _certificate(name, home.certificate_file)
    _check(name, certificate, now())
    key = _key(home, certificate)
    chain_file = home.chain_file if home.chain_file.exists() else home.certificate_file
    return Authority(
        home.authority,
        Issuer(certificate, key, now, random_bytes),
        chain_file.read_bytes(),
        open_database(home),
        now=now,
        random_bytes=random_bytes,
    )


def open_database(home: HomeSettings) -> Database:
    """Open a CA's database; DatabaseUnusable."""
    settings = home.database
    if settings.kind == POSTGRES:
        return Database.postgres(_datasource(settings))
    path = sqlite_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_file(path, b"", secret=True)
    return Database.sqlite(path)


def sqlite_file(home: HomeSettings) -> Path:
    """The file of an SQLite database."""
    return home.folder / home.database.source


def server_tls(settings: ServerTlsSettings, home: HomeSettings, authority: Authority) -> ServerTls:
    """What a server shows its clients; made by its first CA if it is not there.

    AuthorityUnusable, or OSError when a file that is named cannot be read.
    """
    if settings.key is None and not settings.certificate.exists():
        _issue_tls(settings.certificate, home, authority)
    name = home.authority.name
    certificate = _certificate(name, settings.certificate)
    key = _key(home, certificate, settings.key)
    roots = settings.client_roots
    shown = settings.certificate.read_bytes()
    if certificate.is_issued_by(authority.certificate) and not _is_root(authority.certificate):
        shown += authority.chain
    client_roots = None if roots is None else b"".join(path.read_bytes() for path in roots)
    return ServerTls(shown, key_pem(key), client_roots)


def passphrase(home: HomeSettings) -> bytes | None:
    """The passphrase of a CA's keys, None without one; OSError, AuthorityUnusable."""
    if home.passphrase_file is None:
        return None
    text = home.passphrase_file.read_bytes().partition(b"\n")[0].rstrip(b"\r")
    if not text:
        raise AuthorityUnusable(home.authority.name, f"{home.passphrase_file} is empty")
    return text


def _create(home: HomeSettings, now: datetime, random_bytes: crypto.RandomBytes) -> None:
    """Make the CA's key and certificate; the certificate comes last, so that it says "done"."""
    name = home.authority.name
    if home.key_file is not None and home.key_file.exists():
        raise AuthorityUnusable(name, f"there is a key, but no {home.certificate_file}")
    key = new_key(home.certificate, random_bytes)
    try:
        if home.parent is None:
            certificate = self_signed(home.certificate, key, now, random_bytes)
        else:
            certified = enroll_with_parent(home.parent, home.certificate, key)
            certificate = certified.certificate
            write_file(home.chain_file, certificate.pem() + certified.chain)
    except ValueError as error:
        raise AuthorityUnusable(name, f"its name cannot be written down: {error}") from error
    _write_key(home, key)
    write_file(home.certificate_file, certificate.pem())


def _write_key(home: HomeSettings, key: crypto.PrivateKey) -> None:
    ski = crypto.subject_key_id(key.public_key()).hex()
    path = home.folder / KEYSTORE / f"{ski}_sk"
    write_file(path, key_pem(key, passphrase(home)), secret=True)


def _certificate(name: str, path: Path) -> Certificate:
    try:
        return parse_pem(path.read_bytes())
    except IdentityError as error:
        raise AuthorityUnusable(name, f"{path}: {error}") from error


def _check(name: str, certificate: Certificate, now: datetime) -> None:
    """fabric-ca's conditions on a CA's certificate."""
    usage = certificate.key_usage
    if not certificate.is_ca:
        raise AuthorityUnusable(name, "its certificate is no CA's")
    if usage is None or not usage.key_cert_sign:
        raise AuthorityUnusable(name, "its certificate lacks the usage 'cert sign'")
    if now > certificate.not_after:
        raise AuthorityUnusable(name, f"its certificate expired at {certificate.not_after}")
    if now < certificate.not_before:
        raise AuthorityUnusable(name, f"its certificate is valid from {certificate.not_before}")


def _key(
    home: HomeSettings, certificate: Certificate, named: Path | None = None
) -> crypto.PrivateKey:
    """The key of a certificate: in the file that is named, or in the key store."""
    name, secret = home.authority.name, passphrase(home)
    file = named or home.key_file
    if file is not None and file.exists():
        key = read_key(file.read_bytes(), secret)
        if key is not None and key.public_key() == certificate.key.key:
            return key
        if named is not None:
            raise AuthorityUnusable(name, f"{file} is not the key of {certificate.common_name!r}")
    folder = home.folder / KEYSTORE
    try:
        return find_key(folder, certificate, secret)
    except KeyNotFound as error:
        hint = " (an encrypted key needs ca.passphrasefile)" if secret is None else ""
        raise AuthorityUnusable(name, f"{error}{hint}") from error


def _issue_tls(path: Path, home: HomeSettings, authority: Authority) -> None:
    key = new_key(home.certificate, authority.random_bytes)
    common_name = authority.certificate.common_name
    hosts = dict.fromkeys((*home.certificate.hosts, *_LOCAL))
    try:
        subject = distinguished_name(home.certificate, common_name)
        names = [(alternative_names(list(hosts)), False)]
    except ValueError as error:
        raise AuthorityUnusable(authority.name, f"csr: {error}") from error
    certificate = authority.certify(
        key.public_key(), subject, authority.profile("tls"), None, names
    )
    with authority.database.write() as store:
        store.certificates.add(certificate, authority.key_id)
    _write_key(home, key)
    write_file(path, certificate.pem())


def _is_root(certificate: Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _datasource(settings: DatabaseSettings) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - an extra

    return make_conninfo(settings.source, **settings.options)
