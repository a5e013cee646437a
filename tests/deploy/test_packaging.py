"""Packages of Python sources and of services."""

import json

import pytest

from gridloom.common.chaincode_package import InvalidPackage, parse_package, unpack_code
from gridloom.deploy.packaging import (
    SourceError,
    package_id_of,
    package_service,
    package_source,
    source_root,
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "basic"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "contract.py").write_text("x = 1\n")
    (folder / "data" / "table.csv").write_text("1,2\n")
    (folder / "__pycache__" / "contract.cpython-311.pyc").write_bytes(b"noise")
    return folder


def content(package):
    parsed = parse_package(package)
    return (parsed.label, parsed.type, parsed.path), sorted(unpack_code(parsed.code))


def test_a_folder_is_packaged_by_its_content_without_caches(folder):
    assert content(package_source(folder)) == (
        ("basic", "python", ""),
        ["src/contract.py", "src/data/table.csv"],
    )
    assert source_root(folder) == folder


def test_a_package_folder_keeps_its_name(folder):
    (folder / "__init__.py").write_text("")
    described, names = content(package_source(folder, label="b_1", module="basic.contract"))
    assert described == ("b_1", "python", "basic.contract")
    assert names == ["src/basic/__init__.py", "src/basic/contract.py", "src/basic/data/table.csv"]
    assert source_root(folder) == folder.parent


def test_a_single_module_is_its_own_contract_module(folder):
    module = folder / "contract.py"
    assert content(package_source(module)) == (
        ("contract", "python", "contract"),
        ["src/contract.py"],
    )
    assert source_root(module) == folder


def test_the_id_follows_the_content_only(folder, tmp_path):
    first = package_id_of(package_source(folder))
    (folder / "contract.py").touch()
    assert package_id_of(package_source(folder)) == first
    (folder / "contract.py").write_text("x = 2\n")
    assert package_id_of(package_source(folder)) != first


def test_what_no_chaincode_can_be_made_of_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, reason in (
        (folder / "data" / "table.csv", "neither a Python module nor a folder"),
        (tmp_path / "empty", "no files"),
        (tmp_path / "missing", "no such file"),
    ):
        with pytest.raises(SourceError, match=reason) as caught:
            package_source(path)
        assert caught.value.path == path
    with pytest.raises(InvalidPackage, match="invalid label"):
        package_source(folder, label="-")


def test_a_service_is_packaged_as_its_address():
    plain = parse_package(package_service("localhost:9999", "basic_1"))
    assert (plain.label, plain.type) == ("basic_1", "ccaas")
    connection = json.loads(unpack_code(plain.code)["connection.json"])
    assert connection == {
        "address": "localhost:9999",
        "dial_timeout": "10s",
        "tls_required": False,
    }
    secured = parse_package(package_service("localhost:9999", "basic_1", b"-----BEGIN"))
    connection = json.loads(unpack_code(secured.code)["connection.json"])
    assert (connection["tls_required"], connection["root_cert"]) == (True, "-----BEGIN")
