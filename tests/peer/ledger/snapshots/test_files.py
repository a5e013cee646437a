"""The form of snapshot files: what is written is read, and nothing else is."""

import os
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.ledger.snapshots.errors import SnapshotDamaged, SnapshotError
from gridloom.peer.ledger.snapshots.files import FileReader, FileWriter, file_hash

NUMBERS = st.integers(0, 2**64 - 1)


def written(path, *parts):
    with FileWriter(path) as writer:
        for part in parts:
            writer.number(part) if isinstance(part, int) else writer.data(part)
        return writer.done()


def test_the_bytes_are_fabrics(tmp_path):
    path = tmp_path / "f"
    digest = written(path, 0, 127, 300, b"", b"abc")
    assert path.read_bytes() == b"\x01\x00\x7f\xac\x02\x00\x03abc"
    assert digest == sha256(path.read_bytes()).digest() == file_hash(path)
    assert path.stat().st_mode & 0o777 == 0o444


def test_large_parts_are_written_whole(tmp_path):
    parts = [os.urandom(size) for size in (70_000, 1, 65_536, 200_000)]
    digest = written(tmp_path / "f", *parts)
    assert digest == file_hash(tmp_path / "f")
    with FileReader(tmp_path / "f") as reader:
        assert [reader.data() for _ in parts] == parts
        assert reader.at_end


def test_a_file_is_never_replaced(tmp_path):
    written(tmp_path / "f", 1)
    with pytest.raises(FileExistsError):
        FileWriter(tmp_path / "f")


@given(parts=st.lists(st.one_of(NUMBERS, st.binary(max_size=300))))
def test_what_is_written_is_read_again(tmp_path_factory, parts):
    path = tmp_path_factory.mktemp("files") / "f"
    written(path, *parts)
    with FileReader(path) as reader:
        for part in parts:
            assert (reader.number() if isinstance(part, int) else reader.data()) == part
        reader.end()


@given(data=st.binary(max_size=40))
def test_bytes_from_elsewhere_never_raise_anything_else(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("files") / "f"
    path.write_bytes(data)
    with suppress(SnapshotError), FileReader(path) as reader:
        while not reader.at_end:
            reader.text()


@pytest.mark.parametrize(
    ("data", "read", "reason"),
    [
        (b"", None, "unexpected EOF"),
        (b"\x02", None, "unexpected data format: 2"),
        (b"\x01", FileReader.number, "unexpected EOF"),
        (b"\x01\x80", FileReader.number, "unexpected EOF"),
        (b"\x01" + b"\xff" * 10 + b"\x01", FileReader.number, "larger than 64 bits"),
        (b"\x01" + b"\xff" * 9 + b"\x02", FileReader.number, "larger than 64 bits"),
        (b"\x01\x05abc", FileReader.data, "unexpected EOF"),
        (b"\x01" + b"\xff" * 9 + b"\x01abc", FileReader.data, "unexpected EOF"),
        (b"\x01\x01\xff", FileReader.text, "not valid UTF-8"),
        (b"\x01\x05abc", FileReader.count, "unexpected EOF"),
        (b"\x01\x00", FileReader.end, "1 bytes more than its metadata speak of"),
    ],
)
def test_a_broken_file_is_told_by_its_name(tmp_path, data, read, reason):
    (tmp_path / "txids.data").write_bytes(data)
    told = pytest.raises(SnapshotDamaged, match=f"txids.data: .*{reason}")
    with told, FileReader(tmp_path / "txids.data") as reader:
        read(reader)


def test_the_largest_number_is_read(tmp_path):
    written(tmp_path / "f", 2**64 - 1)
    with FileReader(tmp_path / "f") as reader:
        assert reader.number() == 2**64 - 1


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder", "missing"):
        for use in (FileReader, file_hash):
            with pytest.raises(SnapshotDamaged, match=f"{name}: .*"):
                use(tmp_path / name)
