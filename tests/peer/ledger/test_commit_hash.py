"""The commit hash (Fabric: txmgr/update_batch_bytes_test.go; all golden blocks: test_ledger)."""

from hashlib import sha256

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from gridloom.common import blocks
from gridloom.peer.ledger.commit_hash import commit_hash, update_bytes
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.update_batch import UpdateBatch
from harness.ledger import golden_block


def updates_message():
    """Fabric's message Updates, described here anew: the judge of the hand-written encoding."""
    file = descriptor_pb2.FileDescriptorProto(name="updates.proto", package="txmgr_test")
    file.syntax = "proto3"
    kv_write = file.message_type.add(name="KVWrite")
    kinds = {"namespace": 9, "collection": 9, "key": 12, "isDelete": 8, "value": 12, "version": 12}
    for number, (name, kind) in enumerate(kinds.items(), 1):
        kv_write.field.add(name=name, number=number, type=kind, label=1)
    file.message_type.add(name="Updates").field.add(
        name="kvwrites", number=1, type=11, label=3, type_name=".txmgr_test.KVWrite"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("txmgr_test.Updates"))


UPDATES = updates_message()


def batch(*entries):
    """Entries "ns/key" or "ns/coll/key" at versions 1:1, 1:2, ...; a leading "-" deletes."""
    updates = UpdateBatch()
    for number, entry in enumerate(entries, 1):
        namespace, *collection, key = entry.lstrip("-").split("/")
        value = b"" if entry.startswith("-") else b"value%d" % number
        versioned = VersionedValue(value, Version(1, number), b"metadata do not count")
        updates.put(namespace, "".join(collection), key.encode(), versioned)
    return updates


def expected(*entries):
    """(place as it is to be written, number in the batch, deleted?) of each write."""
    message = UPDATES()
    for place, number, deleted in entries:
        namespace, collection, key = place.split("/")
        message.kvwrites.add(
            namespace=namespace,
            collection=collection,
            key=key.encode(),
            isDelete=deleted,
            value=b"" if deleted else b"value%d" % number,
            version=bytes([1, 1, 1, number]),
        )
    return message.SerializeToString()


def test_public_writes_name_their_namespace_once():
    updates = batch("ns3/key5", "ns1/key2", "ns1/key1", "ns2/key3", "ns3/key4", "-ns3/key6")
    assert update_bytes(updates) == expected(
        ("ns1//key1", 3, False),
        ("//key2", 2, False),
        ("ns2//key3", 4, False),
        ("ns3//key4", 5, False),
        ("//key5", 1, False),
        ("//key6", 6, True),
    )


def test_collections_follow_the_public_writes_of_their_namespace():
    updates = batch(
        "ns1/coll2/key5",
        "ns2/key7",
        "ns1/key1",
        "ns1/coll1/key4",
        "-ns1/coll2/key6",
        "ns1/coll1/key3",
        "ns1/key2",
    )
    assert update_bytes(updates) == expected(
        ("ns1//key1", 3, False),
        ("//key2", 7, False),
        ("/coll1/key3", 6, False),
        ("//key4", 4, False),
        ("/coll2/key5", 1, False),
        ("//key6", 5, True),
        ("ns2//key7", 2, False),
    )


def test_a_namespace_with_hashes_only_is_named_by_the_first_of_them():
    assert update_bytes(batch("ns/coll/key")) == expected(("ns/coll/key", 1, False))


def test_the_configuration_and_cleartext_are_left_out():
    updates = batch("/CHANNEL_CONFIG_ENV_BYTES")
    updates.private["cc", "c"] = {b"k": VersionedValue(b"v", Version(1, 0))}
    assert update_bytes(updates) == b""


def test_long_values_are_framed_by_their_length():
    updates = UpdateBatch()
    updates.put("n", "", b"k" * 300, VersionedValue(b"v" * 70_000, Version(2**40, 2**20)))
    written = UPDATES.FromString(update_bytes(updates)).kvwrites[0]
    assert (written.key, written.value) == (b"k" * 300, b"v" * 70_000)
    assert written.version == Version(2**40, 2**20).to_bytes()


@pytest.mark.parametrize(
    ("version", "encoded"),
    [((0, 0), "0000"), ((1, 0), "010100"), ((256, 255), "02010001ff"), ((2**64 - 1, 1), None)],
)
def test_versions_are_encoded_to_sort(version, encoded):
    assert Version(*version).to_bytes().hex() == (encoded or "08" + "ff" * 8 + "0101")


def test_the_first_hash_has_no_predecessor():
    first = blocks.commit_hash(golden_block(1))
    assert len(first) == 32
    assert commit_hash(b"", UpdateBatch(), b"") == sha256(b"\x00").digest()
    assert (
        commit_hash(b"\x00\x0b", UpdateBatch(), first) == sha256(b"\x02\x00\x0b" + first).digest()
    )


def test_the_number_of_codes_is_a_varint():
    codes = bytes(300)
    assert commit_hash(codes, UpdateBatch(), b"") == sha256(b"\xac\x02" + codes).digest()
