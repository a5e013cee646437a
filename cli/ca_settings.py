"""The settings of fabric-ca-client, each by one name in three places.

``tls.certfiles`` is the option ``--tls.certfiles``, the variable FABRIC_CA_CLIENT_TLS_CERTFILES
and a key in fabric-ca-client-config.yaml; the first of them that says something counts.
(Fabric: fabric-ca cmd/fabric-ca-client/command/config.go, lib/clientconfig.go)
"""

from __future__ import annotations

import csv
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote

import typer

if TYPE_CHECKING:
    from gridloom.client.enrollment import CaIdentity, CertificateAuthority
    from gridloom.client.enrollment.msp_folder import MspFolder
    from gridloom.common.settings import SettingsSource

PREFIX: Final = "FABRIC_CA_CLIENT"
FILE_NAME: Final = "fabric-ca-client-config.yaml"
_HOMES: Final = (f"{PREFIX}_HOME", "FABRIC_CA_HOME", "CA_CFG_PATH")
_QUIET: Final = frozenset({"warning", "error", "fatal", "critical"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, what it means, and what holds where nothing is said.

    kind: str, int, bool, or list for texts separated by commas; short: a letter for it.
    """

    name: str
    help: str
    default: str | int = ""
    kind: type = str
    short: str = ""
    hidden: bool = False

    @property
    def parameter(self) -> str:
        """Its name as Python may have it."""
        return self.name.replace(".", "_")


SETTINGS: Final = (
    Setting("home", "The client's folder. [default: $HOME/.fabric-ca-client]", short="H"),
    Setting("config", "The configuration file.", short="c", hidden=True),
    Setting("url", "URL of the server.", "http://localhost:7054", short="u"),
    Setting("mspdir", "The MSP folder.", "msp", short="M"),
    Setting("caname", "Name of the CA."),
    Setting("tls.certfiles", "Files with roots to trust, separated by commas.", kind=list),
    Setting("tls.client.certfile", "The client's certificate, under mutual TLS."),
    Setting("tls.client.keyfile", "The client's key, under mutual TLS."),
    Setting("csr.cn", "The common name of the request (gencsr)."),
    Setting("csr.hosts", "Host names of the request, separated by commas.", kind=list),
    Setting("csr.names", "More of its subject, as C=CA,O=Org1.", kind=list),
    Setting("csr.serialnumber", "The serial number in its subject."),
    Setting("csr.keyrequest.algo", "The kind of key: ecdsa or ed25519.", "ecdsa"),
    Setting("csr.keyrequest.size", "Its size: 256, 384 or 521.", 256, int),
    Setting("csr.keyrequest.reusekey", "Keep the key when re-enrolling.", kind=bool),
    Setting("enrollment.profile", "The signing profile: default, tls or ca."),
    Setting("enrollment.attrs", "Attributes to ask for, as foo,bar:opt.", kind=list),
    Setting("enrollment.label", "Label for HSM operations."),
    Setting("enrollment.type", "The type of enrolment: x509.", "x509"),
    Setting("id.name", "Unique name of the identity."),
    Setting("id.type", "Its type: client, peer, orderer, admin or another.", "client"),
    Setting("id.secret", "Its secret, made by the server if not given."),
    Setting("id.affiliation", "Its affiliation."),
    Setting("id.attrs", "Its attributes, as foo=foo1,bar=bar1:ecert.", kind=list),
    Setting("id.maxenrollments", "How often the secret may be used.", 0, int),
    Setting("revoke.name", "Identity whose certificates are revoked.", short="e"),
    Setting("revoke.serial", "Serial number of the certificate to revoke.", short="s"),
    Setting("revoke.aki", "Its authority key identifier.", short="a"),
    Setting("revoke.reason", "Why it is revoked.", short="r"),
    Setting("myhost", "Host name for requests. [default: this machine's]", short="m"),
    Setting("mycertfile", "Path of the certificate within the MSP folder."),
    Setting("myskfile", "Path of the key within the MSP folder."),
    Setting("mycacertfile", "Path of the root CA's certificate within the MSP folder."),
    Setting("loglevel", "What to tell: info, warning, error and so on."),
    Setting("debug", "Tell everything.", kind=bool, short="d", hidden=True),
)
_DEFAULTS: Final = {setting.name: setting.default for setting in SETTINGS}


class ClientSettings:
    """What one command was told, by options, the environment and the configuration file.

    given: the options, by name of their setting.
    """

    def __init__(self, given: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._given = given
        self._environment = {name: value for name, value in environment.items() if value}
        self.file = self._file()
        self.home = self.file.parent
        self._source: SettingsSource | None = None

    @classmethod
    def load(cls, given: Mapping[str, Any]) -> ClientSettings:
        """Return the settings of this process."""
        return cls(given, os.environ)

    def text(self, name: str) -> str:
        """A setting that is one text."""
        if name in self._given:
            return str(self._given[name])
        return self._file_source().value(name, _printable, str(_DEFAULTS.get(name, "")))

    def number(self, name: str) -> int:
        """A setting that is a number; InvalidSetting."""
        if name in self._given:
            return int(self._given[name])
        return self._file_source().value(name, int, int(_DEFAULTS[name]))

    def flag(self, name: str) -> bool:
        """A setting that is true or false; InvalidSetting."""
        return bool(self._given.get(name)) or self._file_source().flag(name)

    def texts(self, name: str) -> Sequence[str]:
        """A setting that is a list; commas separate, except between double quotes."""
        if name in self._given:
            return split_list(*self._given[name])
        from gridloom.common.settings import InvalidSetting  # noqa: PLC0415

        try:
            return [_printable(text) for text in self._file_source().texts(name)]
        except ValueError as error:
            raise InvalidSetting(name, str(error)) from error

    def entries(self, name: str) -> Sequence[Mapping[str, Any]]:
        """A list of mappings that only the configuration file can hold; InvalidSetting."""
        from gridloom.common.settings import InvalidSetting  # noqa: PLC0415

        found = self._file_source().tree(name) or []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise InvalidSetting(name, "a list of mappings is expected")
        return found

    def path(self, name: str) -> Path:
        """A file or folder; a relative one counts from the configuration file."""
        return self.home / self.text(name)

    @property
    def url(self) -> SplitResult:
        """The server's URL, perhaps with a name and a secret in it."""
        from gridloom.client.enrollment.connection import split_url  # noqa: PLC0415

        text = self.text("url").strip()
        return split_url(text if "://" in text else f"http://{text}")[0]

    @property
    def credentials(self) -> tuple[str, str]:
        """The name and the secret that the URL carries, empty if it does not."""
        return unquote(self.url.username or ""), unquote(self.url.password or "")

    @property
    def host_name(self) -> str:
        """The name of this machine for requests."""
        return self.text("myhost") or socket.gethostname()

    def authority(self) -> CertificateAuthority:
        """Return the authority all is about; BadAuthorityUrl, OSError for a file of roots."""
        from gridloom.client.enrollment import (  # noqa: PLC0415
            BadAuthorityUrl,
            CertificateAuthority,
        )
        from gridloom.common.rpc.tls import ClientTls  # noqa: PLC0415

        url = self.url._replace(netloc=self.url.netloc.rpartition("@")[2])
        tls = None
        if url.scheme == "https":
            roots = [(self.home / file).read_bytes() for file in self.texts("tls.certfiles")]
            if not roots:
                raise BadAuthorityUrl(url.geturl(), "say whom to trust with --tls.certfiles")
            certificate, key = (
                (self.home / file).read_bytes() if file else None
                for file in (self.text("tls.client.certfile"), self.text("tls.client.keyfile"))
            )
            tls = ClientTls(b"\n".join(roots), certificate, key)
        return CertificateAuthority(url.geturl(), self.text("caname"), tls)

    def msp_folder(self) -> MspFolder:
        """Return the folder of the identity that acts, or is to be."""
        from gridloom.client.enrollment.msp_folder import FileNames, MspFolder  # noqa: PLC0415

        named = [self.text(name) for name in ("myskfile", "mycertfile", "mycacertfile")]
        names = FileNames(*(_within(name) if name else None for name in named))
        host = self.url.netloc.rpartition("@")[2]
        return MspFolder(self.path("mspdir"), (host, self.text("caname")), names)

    def identity(self) -> CaIdentity:
        """Return who acts: the identity in the MSP folder; NotEnrolled."""
        return self.msp_folder().load(self.authority())

    def says(self, name: str) -> bool:
        """Whether an option or a variable says something of a setting."""
        variable = f"{PREFIX}_{name}".upper().replace(".", "_")
        return name in self._given or variable in self._environment

    def inform(self, what: str) -> None:
        """Tell what was done, unless that is not wanted."""
        if self.text("loglevel").lower() not in _QUIET or self.flag("debug"):
            typer.echo(f"[INFO] {what}", err=True)

    def reread(self) -> None:
        """Look into the configuration file again."""
        self._source = None

    def _file(self) -> Path:
        if "config" in self._given:
            return Path(self._given["config"]).absolute()
        known = [self._environment[name] for name in _HOMES if name in self._environment]
        default = known[0] if known else Path.home() / ".fabric-ca-client"
        return Path(self._given.get("home", default)).absolute() / FILE_NAME

    def _file_source(self) -> SettingsSource:
        if self._source is None:
            from gridloom.common.settings import SettingsSource  # noqa: PLC0415

            self._source = (
                SettingsSource.load(self.file, PREFIX, self._environment)
                if self.file.exists()
                else SettingsSource({}, PREFIX, self._environment, self.home)
            )
        return self._source


def _printable(text: str) -> str:
    """Return the text; ValueError for what YAML may hold, but no file and no request."""
    text.encode()
    if "\x00" in text:
        raise ValueError("a text may not contain NUL")
    return text


def split_list(*texts: str) -> list[str]:
    """Split texts at commas; a part in double quotes may contain some."""
    rows = csv.reader([text.strip("[]") for text in texts], skipinitialspace=True)
    return [part for row in rows for part in row]


def _within(name: str) -> Path:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise typer.BadParameter(f"{name} must be a relative path within the MSP folder")
    return path
