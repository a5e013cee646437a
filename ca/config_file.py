"""The configuration file that a new CA home begins with.

(Fabric: fabric-ca cmd/fabric-ca-server/config.go)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from gridloom.common.msp_files import write_file
from gridloom.common.settings import InvalidSetting

from .settings import CONFIG_FILE

_TEMPLATE: Final = """\
# Settings of `gridloom ca start`, which are fabric-ca-server's.  Any of them can be overridden by
# a variable: FABRIC_CA_SERVER_TLS_ENABLED=true for tls.enabled.  Paths count from this folder.

address: 127.0.0.1        # 0.0.0.0 for all interfaces
port: 7054

tls:
  enabled: false          # true makes tls-cert.pem, if no certificate is named
  certfile:
  keyfile:
  clientauth:
    type: noclientcert    # or requireandverifyclientcert, with roots in certfiles
    certfiles:

ca:
  name: {name}                 # the caname of requests
  certfile:               # ca-cert.pem, made if it is not there
  keyfile:                # its key; msp/keystore if it is not named
  chainfile:              # ca-chain.pem
  passphrasefile:         # a file with the passphrase of the keys in msp/keystore
  reenrollIgnoreCertExpiry: false

registry:
  maxenrollments: -1      # how often a secret can be used: -1 for any number, 0 for never
  identities:
    - name: {user}
      pass: {secret}
      type: client
      affiliation: ""
      attrs:
        hf.Registrar.Roles: "*"
        hf.Registrar.DelegateRoles: "*"
        hf.Revoker: true
        hf.IntermediateCA: true
        hf.GenCRL: true
        hf.Registrar.Attributes: "*"
        hf.AffiliationMgr: true

affiliations:
  org1:
    - department1
    - department2
  org2:
    - department1

cfg:
  identities:
    passwordattempts: 10  # wrong secrets until an identity is locked, 0 for no limit
    allowremove: false
  affiliations:
    allowremove: false

db:
  type: sqlite3           # or postgres, with a datasource such as: host=db dbname=ca user=ca
  datasource: fabric-ca-server.db

crl:
  expiry: 24h

signing:
  default:
    usage: [digital signature]
    expiry: 8760h
  profiles:
    ca:
      usage: [cert sign, crl sign]
      expiry: 43800h
      caconstraint:
        isca: true
        maxpathlen: 0
    tls:
      usage: [signing, key encipherment, server auth, client auth, key agreement]
      expiry: 8760h

csr:                      # of the CA's own certificate
  cn: {common_name}
  keyrequest:
    algo: ecdsa
    size: 256
  names:
    - C: US
      ST: North Carolina
      O: Hyperledger
      OU: Fabric
  hosts:
    - localhost
  ca:
    expiry: 131400h
    pathlength: 1

intermediate:             # a URL makes this a CA below the one it names
  parentserver:
    url: {parent}
    caname:
  tls:
    certfiles:

cacount:                  # further CAs ca1, ca2, ... with these settings
cafiles:                  # or CAs with files of their own

operations:
  listenAddress:          # host:port for /healthz, /metrics, /version
"""


def create_config(folder: Path, boot: str, name: str = "", parent: str = "") -> None:
    """Write the file for a registrar given as ``id:secret``; InvalidSetting.

    parent: URL of the server to enroll with, empty for a root CA.
    """
    user, colon, secret = boot.partition(":")
    if not (user and colon and secret):
        raise InvalidSetting("boot", "the first registrar is given as -b id:secret")
    text = _TEMPLATE.format(
        name=json.dumps(name) if name else "",
        user=json.dumps(user),
        secret=json.dumps(secret),
        common_name="" if parent else "fabric-ca-server",
        parent=json.dumps(parent) if parent else "",
    )
    write_file(folder / CONFIG_FILE, text.encode(), secret=True)
