"""What comes with a ledger snapshot from elsewhere: records, files, metadata; and the requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from itertools import cycle
from pathlib import Path

import pytest

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Call
from gridloom.common.wire import parse
from gridloom.peer.acl import AccessControl
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.snapshots import files as snapshot_files
from gridloom.peer.ledger.snapshots import metadata
from gridloom.peer.ledger.snapshots.files import FileReader
from gridloom.peer.ledger.snapshots.list_files import read_config_history, read_tx_ids
from gridloom.peer.ledger.snapshots.metadata import ADDITIONAL_FILE, SIGNABLE_FILE, read_metadata
from gridloom.peer.ledger.snapshots.record import decode_record
from gridloom.peer.ledger.snapshots.state_files import read_state
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.snapshot_service import SnapshotService
from gridloom.protos.common.common_pb2 import SignatureHeader
from gridloom.protos.peer.snapshot_pb2 import SignedSnapshotRequest, SnapshotRequest
from harness.consortium import clock, consortium
from harness.fuzz import fuzz, fuzz_async, fuzz_text
from harness.snapshots import copied, forge, golden_snapshot

LAST = 65
SOME = 12_500
"""Inputs of each of the four readers of files; whole snapshots get fewer."""


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, logger="gridloom")


def records(name: str) -> list[bytes]:
    """The records of one of the real peer's files."""
    with FileReader(golden_snapshot() / name) as reader:
        found = []
        while not reader.at_end:
            found.append(reader.data())
    return found


def test_records():
    seeds = [*records("public_state.data")[1:], *records("private_state_hashes.data")]
    fuzz(decode_record, seeds)


READERS: dict[str, Callable[[Path], object]] = {
    "public_state": lambda folder: list(read_state(folder, "public_state", LAST)),
    "private_state_hashes": lambda folder: list(read_state(folder, "private_state_hashes", LAST)),
    "txids": lambda folder: list(read_tx_ids(folder)),
    "confighistory": lambda folder: list(read_config_history(folder, LAST)),
}


@pytest.fixture
def files(monkeypatch):
    """The real peer's files by name, in memory: what is put here is read instead."""
    contents = {path.name: path.read_bytes() for path in golden_snapshot().iterdir()}
    for module in (snapshot_files, metadata):
        monkeypatch.setattr(module, "open_file", lambda path: BytesIO(contents[path.name]))
    return contents


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["data", "metadata"])
def test_files(files, name, kind):
    file = f"{name}.{kind}"
    whole = files[file]

    def read(data: bytes) -> object:
        files[file] = data
        return READERS[name](Path())

    fuzz(read, [whole, whole[: len(whole) // 2]], inputs=SOME)


def test_metadata(files):
    additional = json.loads(files[ADDITIONAL_FILE])

    def read(text: str) -> object:
        data = text.encode("utf-8", "surrogatepass")
        sealed = additional | {"snapshot_hash": sha256(data).hexdigest()}
        files[SIGNABLE_FILE], files[ADDITIONAL_FILE] = data, json.dumps(sealed).encode()
        return read_metadata(Path())

    fuzz_text(read, [files[SIGNABLE_FILE].decode()])


def test_the_other_metadata(files):
    def read(data: bytes) -> object:
        files[ADDITIONAL_FILE] = data
        return read_metadata(Path())

    fuzz(read, [files[ADDITIONAL_FILE]])


def test_whole_snapshots_with_right_hashes(tmp_path):
    folder = copied(golden_snapshot(), tmp_path / "snapshot")
    names = sorted(READERS)
    seeds = {name: (folder / f"{name}.data").read_bytes() for name in names}
    number = 0

    def join(data: bytes) -> None:
        nonlocal number
        number += 1
        name = names[number % len(names)]
        forge(folder, {f"{name}.data": data})
        try:
            snapshot = StoredSnapshot.open(folder)
            with suppress(GridloomError):
                snapshot.config()
            store = MemoryStore()
            try:
                store.bootstrap(snapshot.bootstrap(lambda _: True))
            except GridloomError:
                assert store.height == 0
                raise
        finally:
            forge(folder, {f"{name}.data": seeds[name]})

    fuzz(join, list(seeds.values()), inputs=500)


async def test_requests():
    admin = consortium().user(1, "Admin")
    header = SignatureHeader(creator=admin.serialized, nonce=b"nonce")
    request = SnapshotRequest(signature_header=header, channel_id="ch", block_number=7)
    data = request.SerializeToString()
    signed = SignedSnapshotRequest(request=data, signature=admin.sign(data))
    local = consortium().bundle().msp_manager.msp("Org1MSP")
    access = AccessControl(lambda _: None, local)
    service = SnapshotService(lambda _: None, access, clock)

    methods = cycle((service.generate, service.cancel, service.query_pendings))

    async def serve(raw: bytes) -> None:
        await next(methods)(parse(SignedSnapshotRequest, raw), Call())

    await fuzz_async(serve, [signed.SerializeToString()])
