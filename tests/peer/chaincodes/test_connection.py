"""connection.json of chaincode services."""

import json

import pytest

from gridloom.common.chaincode_package import build_package, parse_package
from gridloom.common.errors import GridloomError
from gridloom.peer.chaincodes.connection import InvalidConnection, read_connection
from harness.shared import shared


def code(content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_package(build_package("a", "ccaas", "", {"connection.json": data})).code


def test_the_golden_package_is_read():
    package = shared("golden", "lifecycle", "second.tar.gz").read_bytes()
    connection = read_connection(parse_package(package).code)
    assert (connection.address, connection.dial_timeout) == ("127.0.0.1:9993", 10.0)
    assert connection.tls is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 3.0), ({"dial_timeout": "1m30s"}, 90.0), ({"dial_timeout": 5_000_000_000}, 5.0)],
)
def test_the_dial_timeout_has_a_unit_or_is_in_nanoseconds(given, seconds):
    assert read_connection(code({"address": "a:1", **given})).dial_timeout == seconds


def test_tls_is_taken_over_and_the_key_is_not_shown():
    server = {"address": "a:1", "tls_required": True, "root_cert": "ROOT"}
    connection = read_connection(code(server))
    assert (connection.tls.roots, connection.tls.certificate) == (b"ROOT", None)
    mutual = {
        **server,
        "client_auth_required": True,
        "client_key": "SECRET",
        "client_cert": "CERT",
        "domain": "cc.example.com",
    }
    connection = read_connection(code(mutual))
    assert connection.tls.private_key == b"SECRET"
    assert connection.tls.certificate == b"CERT"
    assert connection.tls.server_name == "cc.example.com"
    assert "SECRET" not in repr(connection)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "chaincode address not provided"),
        ({"address": 7}, "address is not a text"),
        ({"address": "a:1", "dial_timeout": True}, "invalid duration"),
        ({"address": "a:1", "tls_required": "yes"}, "tls_required is not true or false"),
        ({"address": "a:1", "tls_required": True}, "chaincode tls root cert not provided"),
        (
            {"address": "a:1", "tls_required": True, "client_auth_required": True},
            "chaincode tls key not provided",
        ),
        (
            {
                "address": "a:1",
                "tls_required": True,
                "client_auth_required": True,
                "client_key": "K",
            },
            "chaincode tls cert not provided",
        ),
        (b"{", "malformed connection.json"),
        (b"[]", "malformed connection.json: not an object"),
    ],
)
def test_what_cannot_be_used_is_named(content, reason):
    with pytest.raises(InvalidConnection, match=reason):
        read_connection(code(content))


def test_a_duration_without_a_unit_is_refused():
    with pytest.raises(GridloomError, match="invalid duration"):
        read_connection(code({"address": "a:1", "dial_timeout": "10"}))


def test_a_package_without_the_file_is_refused():
    package = parse_package(build_package("a", "ccaas", "", {"src/a.py": b""}))
    with pytest.raises(InvalidConnection, match=r"the package holds no connection.json"):
        read_connection(package.code)
