"""What a certificate authority answers, and what a configuration file of its client says."""

from __future__ import annotations

import json
from typing import Any

import typer

from gridloom.cli.ca_settings import FILE_NAME, ClientSettings
from gridloom.client.enrollment import Affiliation, RegisteredIdentity
from gridloom.client.enrollment.authority import CertificateAuthority, understood
from gridloom.client.enrollment.connection import _result
from gridloom.common import crypto
from harness.fuzz import fuzz, fuzz_json
from harness.golden_ca import dialogue

INPUTS = 5_000
ANSWERS = ("cainfo-get", "enroll-user", "identities-list", "affiliations-list", "revoke-cert")
SETTINGS = {
    "url": "https://localhost:7054",
    "mspdir": "msp",
    "tls": {"certfiles": ["root.pem"], "client": {"certfile": "a", "keyfile": "b"}},
    "csr": {"cn": "alice", "names": [{"C": "US"}], "hosts": ["a"], "keyrequest": {"size": 256}},
    "id": {"maxenrollments": 0, "attributes": [{"name": "a", "value": "b"}]},
}


def bodies() -> list[Any]:
    return [dialogue(name)["response"]["body"] for name in ANSWERS]


def test_answers() -> None:
    fuzz_json(lambda text: _result(200, text.encode()), bodies(), inputs=INPUTS)
    fuzz(lambda data: _result(201, data), [json.dumps(each).encode() for each in bodies()],
         inputs=INPUTS)  # fmt: skip


def test_results() -> None:
    authority = CertificateAuthority("http://localhost:7054")
    key = crypto.generate_key(bytes)

    def read(text: str) -> None:
        result = json.loads(text)
        authority.enrolled("alice", key, result)
        with understood():
            RegisteredIdentity.read(result)
            Affiliation.read(result)

    documents = [body["result"] for body in bodies()]
    fuzz_json(read, documents, inputs=INPUTS, refusals=(json.JSONDecodeError, RecursionError))


def test_settings_files(tmp_path) -> None:
    path = tmp_path / FILE_NAME

    def read(text: str) -> None:
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        settings = ClientSettings({}, {"FABRIC_CA_CLIENT_HOME": str(tmp_path)})
        settings.number("csr.keyrequest.size")
        settings.texts("csr.hosts")
        settings.entries("csr.names")
        settings.entries("id.attributes")
        assert settings.credentials
        settings.msp_folder()
        settings.authority()

    fuzz_json(read, [SETTINGS], inputs=INPUTS // 20, refusals=(OSError, typer.BadParameter))
