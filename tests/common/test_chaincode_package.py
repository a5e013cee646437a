"""Install packages: golden ids, reproducible bytes, and what must be refused."""

import gzip
import io
import json
import re
import tarfile

import pytest

from gridloom.common.chaincode_package import (
    InvalidPackage,
    build_package,
    package_id,
    parse_package,
    unpack_code,
)
from harness.shared import shared

FILES = {"src/asset.py": b"print('hello')\n", "src/pkg/__init__.py": b""}


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def file(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def metadata(**fields: object) -> tuple[tarfile.TarInfo, bytes]:
    return file("metadata.json", json.dumps(fields).encode())


CODE = file("code.tar.gz", archive(file("src/a.py", b"")))


@pytest.mark.parametrize("name", ["basic", "second", "nodecc_cli"])
def test_package_ids_equal_those_of_fabrics_tools(name: str) -> None:
    package = shared("golden", "lifecycle", f"{name}.tar.gz").read_bytes()
    expected = shared("golden", "lifecycle", f"{name}.package_id.txt").read_text().strip()
    assert package_id(parse_package(package).label, package) == expected


def test_a_package_made_by_the_peer_command_is_read() -> None:
    package = parse_package(shared("golden", "lifecycle", "nodecc_cli.tar.gz").read_bytes())
    assert (package.type, package.path, package.label) == ("node", "/tmp/nodecc", "nodecc_1")
    assert list(unpack_code(package.code)) == ["src/index.js", "src/package.json"]


def test_what_is_built_is_read_back() -> None:
    package = parse_package(build_package("basic_1.0", "python", "asset", FILES))
    assert (package.label, package.type, package.path) == ("basic_1.0", "python", "asset")
    assert unpack_code(package.code) == FILES


def test_the_same_code_always_gives_the_same_package() -> None:
    reversed_files = dict(reversed(FILES.items()))
    package = build_package("basic_1.0", "python", "asset", FILES)
    assert package == build_package("basic_1.0", "python", "asset", reversed_files)
    assert package != build_package("basic_1.1", "python", "asset", FILES)


def test_built_archives_carry_no_time_and_no_user() -> None:
    code = parse_package(build_package("b", "python", "", FILES)).code
    assert code[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(code)) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar} == {(0, 500, 500, "", "")}


@pytest.mark.parametrize("label", ["", "_a", "-1", "a b", "a/b", "ä", "a\n", "a:b"])
def test_labels_outside_the_pattern_are_refused(label: str) -> None:
    with pytest.raises(InvalidPackage, match="invalid label"):
        build_package(label, "python", "", {})
    with pytest.raises(InvalidPackage, match="invalid label"):
        parse_package(archive(metadata(type="ccaas", label=label), CODE))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "src/../../x", "", "a\0b"])
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(InvalidPackage, match="does not stay inside"):
        build_package("a", "python", "", {name: b""})


def test_unpacking_refuses_names_that_leave_the_folder() -> None:
    with pytest.raises(InvalidPackage, match="does not stay inside"):
        unpack_code(archive(file("src/../../x", b"")))


def test_unpacking_passes_over_directory_entries() -> None:
    folder = tarfile.TarInfo("src/")
    folder.type = tarfile.DIRTYPE
    assert unpack_code(archive((folder, b""), file("src/a", b"1"))) == {"src/a": b"1"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE])
def test_entries_that_are_not_regular_files_are_refused(kind: bytes) -> None:
    entry = tarfile.TarInfo("extra")
    entry.type = kind
    text = f"tar entry extra is not a regular file, type {kind[0]}"
    with pytest.raises(InvalidPackage, match=text):
        parse_package(archive(metadata(label="a"), CODE, (entry, b"")))


def test_unknown_files_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    package = parse_package(archive(file("README", b"?"), metadata(label="a", type="x"), CODE))
    assert (package.label, package.path) == ("a", "")
    assert "unexpected file 'README'" in caplog.text


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        (b"", "error reading as gzip stream: EOF"),
        (b"garbage", "error reading as gzip stream: gzip: invalid header"),
        (archive(CODE)[:-30], "error inspecting next tar header"),
        (gzip.compress(b"not a tar" * 100, mtime=0), "error inspecting next tar header"),
        (gzip.compress(b"", mtime=0), "did not find a code package inside the package"),
        (archive(metadata(label="a")), "did not find a code package inside the package"),
        (archive(CODE), "did not find any package metadata (missing metadata.json)"),
        (archive(CODE, file("metadata.json", b"{")), "could not unmarshal metadata.json as json"),
        (archive(CODE, file("metadata.json", b"[]")), "could not unmarshal metadata.json as json"),
        (archive(CODE, metadata(label=7)), "could not unmarshal metadata.json as json"),
    ],
)
def test_broken_packages_are_refused_with_fabrics_reason(package: bytes, reason: str) -> None:
    with pytest.raises(InvalidPackage, match=re.escape(reason)):
        parse_package(package)


def test_a_broken_header_after_good_files_is_refused() -> None:
    plain = gzip.decompress(archive(metadata(label="a"), CODE))
    end = -(-len(plain.rstrip(b"\0")) // 512) * 512
    broken = gzip.compress(plain[:end] + b"x" * 512 + bytes(1024), mtime=0)
    with pytest.raises(InvalidPackage, match="invalid tar header"):
        parse_package(broken)
