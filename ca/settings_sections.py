"""The sections of fabric-ca-server-config.yaml that each CA of a server may have.

(Fabric: fabric-ca lib/caconfig.go, lib/ca.go loadUsersTable and loadAffiliationsTable)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from gridloom.common.channel.durations import InvalidDuration, duration_nanoseconds
from gridloom.common.settings import InvalidSetting, SettingsSource

from .attributes import Attribute
from .authority_settings import AuthoritySettings, BootstrapIdentity
from .home_settings import (
    POSTGRES,
    SQLITE,
    CertificateSettings,
    DatabaseSettings,
    HomeSettings,
    ParentSettings,
)
from .identity import DEFAULT_TYPE
from .profiles import SigningProfile

_KEY_SIZES: Final = (256, 384, 521)
_NAMES: Final = ("C", "ST", "L", "O", "OU")


def read_authority(
    source: SettingsSource, inherited: AuthoritySettings | None
) -> AuthoritySettings:
    """Who is registered from the start, what is signed and which limits there are."""
    base = inherited or AuthoritySettings("")
    identities = source.tree("registry.identities")
    affiliations = source.tree("affiliations")
    return AuthoritySettings(
        name=source.value("ca.name", str, ""),
        identities=base.identities if identities is None else _identities(identities),
        affiliations=base.affiliations if affiliations is None else _affiliations(affiliations),
        profiles=_profiles(source, base.profiles),
        max_enrollments=source.value("registry.maxenrollments", int, base.max_enrollments),
        password_attempts=source.value(
            "cfg.identities.passwordattempts", int, base.password_attempts
        ),
        may_remove_identities=source.flag("cfg.identities.allowremove", base.may_remove_identities),
        may_remove_affiliations=source.flag(
            "cfg.affiliations.allowremove", base.may_remove_affiliations
        ),
        reenroll_ignores_expiry=source.flag(
            "ca.reenrollIgnoreCertExpiry", base.reenroll_ignores_expiry
        ),
        crl_expiry=source.value("crl.expiry", _duration, base.crl_expiry),
        identities_per_chunk=source.value(
            "max_ids_per_chunk", _positive, base.identities_per_chunk
        ),
        certificates_per_chunk=source.value(
            "max_certs_per_chunk", _positive, base.certificates_per_chunk
        ),
    )


def _identities(found: object) -> tuple[BootstrapIdentity, ...]:
    key = "registry.identities"
    if not isinstance(found, list):
        raise InvalidSetting(key, "a list is expected")
    identities = []
    for each in found:
        fields = _lower(each, key)
        name, secret = str(fields.get("name") or ""), str(fields.get("pass") or "")
        if not name or not secret:
            raise InvalidSetting(key, "each identity needs a name and a pass")
        identities.append(
            BootstrapIdentity(
                name,
                secret,
                str(fields.get("type") or DEFAULT_TYPE),
                str(fields.get("affiliation") or ""),
                _whole(fields.get("maxenrollments") or 0, f"{key}.maxenrollments"),
                _attributes(fields.get("attrs") or {}),
            )
        )
    return tuple(identities)


def _attributes(found: object) -> tuple[Attribute, ...]:
    """``name: value``, or ``name: value:ecert`` for what goes into certificates."""
    key = "registry.identities.attrs"
    if not isinstance(found, dict):
        raise InvalidSetting(key, "a mapping is expected")
    attributes = []
    for name, value in found.items():
        text = str(int(value)) if isinstance(value, bool) else str(value)
        text, _, flag = text.partition(":")
        if flag.lower() not in {"", "ecert"}:
            raise InvalidSetting(key, f"{name}: expected value or value:ecert")
        attributes.append(Attribute(str(name), text, bool(flag)))
    return tuple(attributes)


def _affiliations(found: object, above: str = "") -> tuple[str, ...]:
    """A tree of mappings, the leaves lists or names; what has children is in lower case."""
    if found is None:
        return ()
    if isinstance(found, list):
        return tuple(name for each in found for name in _affiliations(each, above))
    if not isinstance(found, dict):
        return (f"{above}{found}",)
    names: list[str] = []
    for name, below in found.items():
        path = f"{above}{str(name).lower()}"
        names += [path, *_affiliations(below, f"{path}.")]
    return tuple(names)


def _profiles(
    source: SettingsSource, base: Mapping[str, SigningProfile]
) -> dict[str, SigningProfile]:
    """fabric-ca's profiles, changed by the document and with those it adds."""
    found = source.tree("signing.profiles") or {}
    sections = {"": source.tree("signing.default"), **_lower(found, "signing.profiles")}
    profiles = dict(base)
    for name, section in sections.items():
        if section is not None:
            key = f"signing.profiles.{name}" if name else "signing.default"
            profiles[name] = _profile(_lower(section, key), profiles.get(name, base[""]), key)
    return profiles


def _profile(section: Mapping[str, object], base: SigningProfile, key: str) -> SigningProfile:
    constraint = _lower(section.get("caconstraint") or {}, f"{key}.caconstraint")
    usages = section.get("usage") or base.usages
    if not isinstance(usages, list | tuple):
        raise InvalidSetting(f"{key}.usage", "a list is expected")
    length = constraint.get("maxpathlen", base.max_path_length)
    try:
        return SigningProfile(
            tuple(str(usage) for usage in usages),
            _duration(str(section["expiry"])) if section.get("expiry") else base.expiry,
            bool(constraint.get("isca", base.is_ca)),
            None if length is None else _whole(length, f"{key}.caconstraint.maxpathlen"),
        )
    except (ValueError, InvalidDuration) as error:
        raise InvalidSetting(key, str(error)) from error


def read_certificate(
    source: SettingsSource, parent: ParentSettings | None, default: HomeSettings | None
) -> CertificateSettings:
    """The CA's own certificate: section ``csr``."""
    names = source.tree("csr.names")
    parts = [_lower(each, "csr.names") for each in names] if isinstance(names, list) else []
    algorithm = source.value("csr.keyrequest.algo", str.lower, "ecdsa")
    size = source.value("csr.keyrequest.size", int, _KEY_SIZES[0])
    if algorithm != "ecdsa" or size not in _KEY_SIZES:
        reason = f"{algorithm} of {size} bits: expected ecdsa of 256, 384 or 521"
        raise InvalidSetting("csr.keyrequest", reason)
    inherited = CertificateSettings() if default is None else default.certificate
    common_name = source.value("csr.cn", str, "")
    if parent is not None and common_name:
        reason = "an intermediate CA is named by its id with the parent; leave this out"
        raise InvalidSetting("csr.cn", reason)
    return CertificateSettings(
        common_name or inherited.common_name,
        {
            name: str(part[name.lower()])
            for part in parts
            for name in _NAMES
            if part.get(name.lower())
        }
        or inherited.names,
        source.texts("csr.hosts") or inherited.hosts,
        size,
        source.value("csr.ca.expiry", _duration, inherited.lifetime),
        source.value("csr.ca.pathlength", _natural, inherited.path_length),
    )


def read_database(source: SettingsSource) -> DatabaseSettings:
    """Section ``db``."""
    kind = source.value("db.type", str.lower, SQLITE)
    if kind not in {SQLITE, POSTGRES}:
        raise InvalidSetting("db.type", f"{kind!r}: expected {SQLITE} or {POSTGRES}")
    if kind == SQLITE:
        return DatabaseSettings(SQLITE, source.value("db.datasource", str, "fabric-ca-server.db"))
    options = {}
    if source.flag("db.tls.enabled"):
        roots = source.paths("db.tls.certfiles")
        if len(roots) > 1:
            raise InvalidSetting("db.tls.certfiles", "libpq takes one file with all roots")
        options = {"sslrootcert": str(roots[0])} if roots else {}
        for option, key in (("sslcert", "certfile"), ("sslkey", "keyfile")):
            path = source.paths(f"db.tls.client.{key}")
            options |= {option: str(path[0])} if path else {}
    datasource = source.value("db.datasource", str, "")
    if not datasource:
        raise InvalidSetting("db.datasource", "PostgreSQL needs one, such as host=... dbname=...")
    return DatabaseSettings(POSTGRES, datasource, options)


def read_parent(source: SettingsSource) -> ParentSettings | None:
    """Section ``intermediate``; None for a root CA."""
    url = source.value("intermediate.parentserver.url", str, "")
    if not url:
        return None
    certificates = source.paths("intermediate.tls.client.certfile")
    keys = source.paths("intermediate.tls.client.keyfile")
    return ParentSettings(
        url,
        source.value("intermediate.parentserver.caname", str, ""),
        source.value("intermediate.enrollment.profile", str, "ca"),
        source.texts("intermediate.enrollment.hosts"),
        source.paths("intermediate.tls.certfiles"),
        certificates[0] if certificates else None,
        keys[0] if keys else None,
    )


def _lower(found: object, key: str) -> dict[str, object]:
    """A mapping with its keys in lower case; InvalidSetting if it is none."""
    if not isinstance(found, dict):
        raise InvalidSetting(key, "a mapping is expected")
    return {str(name).lower(): value for name, value in found.items()}


def _whole(value: object, key: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise InvalidSetting(key, f"{value!r} is no whole number") from None


def _duration(text: str) -> timedelta:
    return timedelta(microseconds=duration_nanoseconds(text) // 1000)


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError("expected 1 or more")
    return int(text)


def _natural(text: str) -> int:
    if int(text) < 0:
        raise ValueError("expected 0 or more")
    return int(text)
