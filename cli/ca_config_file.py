"""The configuration file that a first enrolment leaves behind.

(Fabric: fabric-ca cmd/fabric-ca-client/command/config.go, whose keys and defaults it has)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .ca_settings import ClientSettings

_TEMPLATE: Final = """\
# Settings of fabric-ca-client (and of `gridloom ca`).
#
# Each can be overridden: tls.certfiles by the variable FABRIC_CA_CLIENT_TLS_CERTFILES, and that
# by the option --tls.certfiles.  Relative paths count from the folder of this file.

# The server, and which of its CAs (its first if empty).
url: {url}
caname:

# Where certificates and keys are put, as an MSP folder.
mspdir: {mspdir}

# certfiles: roots to trust; client: for servers that ask for a certificate.
tls:
  certfiles:
  client:
    certfile:
    keyfile:

# What is in requests.  The server replaces the units (OU) by type and affiliation.
csr:
  cn: {name}
  keyrequest:
    algo: ecdsa
    size: 256
    reusekey: false
  serialnumber:
  names:
    - C: US
      ST: North Carolina
      L:
      O: Hyperledger
      OU: Fabric
  hosts:
    - {host}

# Whom `register` registers.  maxenrollments: -1 for any number, 0 for what the server allows.
id:
  name:
  type:
  affiliation:
  maxenrollments: 0
  attributes:

# profile: default, tls or ca.
enrollment:
  profile:
  label:
"""


def default_file(settings: ClientSettings, name: str) -> str:
    """Return the text of a configuration file for whom is enrolled."""
    url = settings.url
    return _TEMPLATE.format(
        url=json.dumps(f"{url.scheme}://{url.netloc.rpartition('@')[2]}"),
        mspdir=json.dumps(settings.text("mspdir")),
        name=json.dumps(name),
        host=json.dumps(settings.host_name),
    )
