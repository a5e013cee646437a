"""Parsing read-write sets."""

from hashlib import sha256

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.peer.ledger.rwset import TxRwSet, is_delete, is_hash_delete, read_version
from gridloom.peer.ledger.state_db import Version
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv
from gridloom.protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from harness.ledger import stage_a


def test_a_golden_set_unfolds_to_its_namespaces_and_collections():
    rwset = stage_a(31)[0].rwset
    assert [ns.namespace for ns in rwset.namespaces] == ["_lifecycle", "gold"]
    lifecycle, gold = rwset.namespaces
    assert [read.key for read in lifecycle.kv.reads][-1] == "namespaces/metadata/gold"
    assert [coll.name for coll in gold.collections] == ["collBoth"]
    assert (lifecycle.is_written, gold.is_written) == (False, True)
    assert rwset.has_private_writes
    assert rwset.pvt_hash("gold", "collBoth") == gold.collections[0].pvt_hash
    assert rwset.pvt_hash("gold", "other") == rwset.pvt_hash("other", "collBoth") == b""


def test_an_empty_set_has_no_namespaces():
    assert TxRwSet.parse(b"") == TxRwSet(())


@pytest.mark.parametrize("part", ["outer", "kv", "hashed", "text"])
def test_a_broken_layer_is_named(part):
    message = TxReadWriteSet()
    ns = message.ns_rwset.add(namespace="cc", rwset=b"\x0a\xff" if part == "kv" else b"")
    ns.collection_hashed_rwset.add(
        collection_name="coll", hashed_rwset=b"\x0a\xff" if part == "hashed" else b""
    )
    data = message.SerializeToString()
    data = {"outer": data[:-1], "text": data.replace(b"cc", b"\xff\xfe")}.get(part, data)
    name = {"kv": "KVRWSet of namespace 'cc'", "hashed": "HashedRWSet of collection cc/coll"}
    with pytest.raises(MalformedMessage, match=name.get(part, "TxReadWriteSet")):
        TxRwSet.parse(data)


def test_a_read_of_an_absent_key_has_no_version():
    assert read_version(kv.KVRead(key="k")) is None
    assert read_version(kv.KVRead(key="k", version=kv.Version())) == Version(0, 0)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (kv.KVWrite(value=b"v"), False),
        (kv.KVWrite(value=b""), True),
        (kv.KVWrite(value=b"v", is_delete=True), True),
    ],
)
def test_an_empty_value_deletes(write, expected):
    assert is_delete(write) is expected


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (kv.KVWriteHash(value_hash=b"h" * 32), False),
        (kv.KVWriteHash(), True),
        (kv.KVWriteHash(value_hash=sha256().digest()), True),
        (kv.KVWriteHash(value_hash=b"h" * 32, is_delete=True), True),
    ],
)
def test_the_hash_of_an_empty_value_deletes(write, expected):
    assert is_hash_delete(write) is expected


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("writes", kv.KVWrite(key="k")),
        ("metadata_writes", kv.KVMetadataWrite(key="k")),
        ("reads", kv.KVRead(key="k")),
    ],
)
def test_metadata_count_as_written_and_reads_do_not(field, entry):
    inner = kv.KVRWSet(**{field: [entry]}).SerializeToString()
    message = TxReadWriteSet()
    message.ns_rwset.add(namespace="cc", rwset=inner)
    parsed = TxRwSet.parse(message.SerializeToString())
    assert parsed.namespaces[0].is_written is (field != "reads")
