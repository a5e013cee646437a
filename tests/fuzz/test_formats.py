"""Further formats from outside: JSON messages, forms, queries, indexes, snapshots, settings."""

from __future__ import annotations

import json
import logging
from io import BufferedReader, BytesIO
from pathlib import Path

import pytest
import yaml

from gridloom.common.documents import load_json
from gridloom.common.msp_directory import load_msp
from gridloom.common.multipart import Part, read_form, write_form
from gridloom.common.policies.language import parse_policy
from gridloom.common.protolator import (
    assign,
    decode,
    encode,
    recognise,
    recognise_json,
    remove,
    render,
)
from gridloom.common.wire import parse
from gridloom.orderer.participation_checks import check_block_id, check_join_block, check_update
from gridloom.orderer.settings import load_settings as load_orderer_settings
from gridloom.peer.ledger.queries.evaluate import meets
from gridloom.peer.ledger.queries.indexes import read_index
from gridloom.peer.ledger.queries.planner import plan
from gridloom.peer.ledger.queries.request import read_request
from gridloom.peer.ledger.snapshots.list_files import read_config_history, read_tx_ids
from gridloom.peer.ledger.snapshots.record import decode_record, encode_record
from gridloom.peer.ledger.snapshots.state_files import PUBLIC_STATE, read_state
from gridloom.peer.settings import load_settings as load_peer_settings
from gridloom.protos.common.common_pb2 import Block, ChannelHeader, Envelope, Header, Payload
from gridloom.protos.common.configtx_pb2 import Config, ConfigUpdate, ConfigUpdateEnvelope
from gridloom.protos.orderer.configuration_pb2 import BatchTimeout
from harness import golden_config
from harness.fuzz import fuzz, fuzz_json, fuzz_text
from harness.golden_channel import peer_block
from harness.shared import shared
from harness.snapshots import golden_snapshot

INDEX = {"index": {"fields": ["a", {"b": "asc"}]}, "ddoc": "one", "name": "byA", "type": "json"}
QUERY = {
    "selector": {
        "a": {"$gt": 1, "$in": [1, "x", None]},
        "$or": [{"b.c": {"$regex": "^x"}}, {"d": {"$elemMatch": {"$eq": 2}}}],
        "e": {"$not": {"$mod": [3, 1]}, "$size": 2, "$type": "array", "$exists": True},
    },
    "sort": [{"a": "desc"}, "b"],
    "fields": ["a", "b.c"],
    "limit": 10,
    "skip": 1,
    "use_index": ["one", "byA"],
    "bookmark": "nil",
}


def as_yaml(text: str, *_: object) -> object:
    """Stands in for the YAML parser, which is not ours and slow."""
    try:
        return load_json(text)
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from error


def small_update() -> Envelope:
    """A config update in its envelope, without the certificates that make golden ones long."""
    config_update = ConfigUpdate(channel_id="c")
    orderer = config_update.write_set.groups["Orderer"]
    orderer.values["BatchTimeout"].value = BatchTimeout(timeout="1s").SerializeToString()
    orderer.policies["Admins"].policy.CopyFrom(parse_policy("ANY Admins"))
    update = ConfigUpdateEnvelope(config_update=config_update.SerializeToString())
    header = ChannelHeader(type=2, channel_id="c").SerializeToString()
    payload = Payload(header=Header(channel_header=header), data=update.SerializeToString())
    return Envelope(payload=payload.SerializeToString(), signature=b"s")


def test_messages_shown_as_json():
    block = Block(header=peer_block(5).header)
    block.data.data.append(small_update().SerializeToString())
    fuzz(lambda data: render(decode(parse(Block, data))), [block.SerializeToString()])


def test_kinds_of_messages():
    fuzz(recognise, [small_update().SerializeToString()])


def test_messages_written_as_json():
    """Parsed JSON only: who reads the text refuses what is none."""
    tree = decode(golden_config.genesis_config())
    small = {"channel_group": {"groups": {"Orderer": tree["channel_group"]["groups"]["Orderer"]}}}

    def write(text: str) -> None:
        parsed = load_json(text)
        recognise_json(parsed)
        encode(Config, parsed)

    fuzz_json(write, [small], refusals=(ValueError,))


def test_paths_into_json():
    tree = decode(golden_config.genesis_config())

    def change(path: str) -> None:
        assign(tree, path, 1)
        remove(tree, path)

    paths = ["channel_group.groups.Orderer.x", '$.a["b.c"][0]', ".channel_group.x"]
    fuzz_text(change, paths, words=("[", "]", '["', "99999999999999999999", ".."))


def test_forms():
    content_type, body = write_form([Part("config-block", "file", b"data"), Part("x", None, b"y")])
    fuzz(lambda data: read_form(content_type, data), [body])

    def read(text: str) -> None:
        read_form(text.encode("utf-8", "replace").decode(), body)

    fuzz_text(read, [content_type], words=("boundary", "charset*=utf-8''", "%ff"), inputs=5_000)


def test_blocks_to_join_with_and_updates_over_http():
    genesis, update = golden_config.block(0), golden_config.config_envelope(50).last_update

    def check(data: bytes) -> None:
        check_join_block(parse(Block, data))

    fuzz(check, [genesis.SerializeToString()])
    fuzz(lambda data: check_update(parse(Envelope, data)), [update.SerializeToString()])
    fuzz_text(check_block_id, ["12", "newest", "config"], words=("9" * 5000,), inputs=5_000)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of patterns that are odd, but no errors
def test_rich_queries():
    index = read_index(json.dumps(INDEX).encode())
    document = {"a": 5, "b": {"c": "x1"}, "d": [2], "e": [1, 2]}

    def query(text: str) -> None:
        request = read_request(text)
        meets(request.selector, b"key", document)
        plan(request, [index])

    fuzz_json(query, [QUERY], words=("$and", "$gt", "(", "a.b", "\\.", "_id"))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_index_definitions():
    def read(text: str) -> None:
        read_index(text.encode("utf-8", "surrogatepass"))

    filtered = {**INDEX, "index": {**INDEX["index"], "partial_filter_selector": QUERY["selector"]}}
    fuzz_json(read, [INDEX, filtered])


def test_records_of_snapshots():
    record = next(iter(read_state(golden_snapshot(), PUBLIC_STATE, 65)))
    key, entry = record[1], record[2]
    fuzz(decode_record, [encode_record(key, entry), b"\x0a\x01k\x12\x01v\x1a\x02\x01\x01"])


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("public_state.data", lambda folder: list(read_state(folder, PUBLIC_STATE, 65))),
        ("txids.data", lambda folder: list(read_tx_ids(folder))),
        ("confighistory.data", lambda folder: list(read_config_history(folder, 65))),
    ],
)
def test_files_of_snapshots(monkeypatch, name, read):
    golden = {path.name: path.read_bytes() for path in golden_snapshot().iterdir()}

    def parse_folder(data: bytes) -> None:
        def opened(path: Path) -> BufferedReader:
            return BufferedReader(BytesIO(data if path.name == name else golden[path.name]))

        monkeypatch.setattr("gridloom.peer.ledger.snapshots.files.open_file", opened)
        read(golden_snapshot())

    fuzz(parse_folder, [golden[name][:2000], golden[name][:300]])


CORE = {
    "peer": {
        "id": "peer0",
        "address": "0.0.0.0:7051",
        "localMspId": "Org1MSP",
        "mspConfigPath": "msp",
        "tls": {"enabled": True, "cert": {"file": "a"}, "key": {"file": "b"}},
        "gateway": {"enabled": True, "endorsementTimeout": "30s"},
        "limits": {"concurrency": {"endorserService": 2500}},
        "authentication": {"timewindow": "15m"},
    },
    "ledger": {"state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100000}},
}
ORDERER = {
    "General": {
        "ListenAddress": "0.0.0.0",
        "ListenPort": 7050,
        "LocalMSPID": "OrdererMSP",
        "TLS": {"Enabled": True, "Certificate": "a", "PrivateKey": "b", "ClientRootCAs": ["c"]},
        "Authentication": {"TimeWindow": "15m", "NoExpirationChecks": False},
    },
    "FileLedger": {"Location": "/var"},
}


@pytest.mark.parametrize(
    ("document", "load", "module"),
    [
        (CORE, load_peer_settings, "gridloom.peer.settings"),
        (ORDERER, load_orderer_settings, "gridloom.common.settings"),
    ],
    ids=["core.yaml", "orderer.yaml"],
)
def test_settings(tmp_path, monkeypatch, document, load, module):
    monkeypatch.setattr(f"{module}.load_yaml", as_yaml)

    def read(text: str) -> None:
        monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
        load(tmp_path, {})

    fuzz_json(read, [document], words=("30s", "-5s", "true", "65536"))


def test_msp_folders(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.ERROR, logger="gridloom")
    (tmp_path / "cacerts").mkdir()
    ca = next(iter(shared("golden", "msp", "crypto").rglob("ca.org1*-cert.pem")))
    (tmp_path / "cacerts" / "ca.pem").write_bytes(ca.read_bytes())
    unit = {"Certificate": "cacerts/ca.pem", "OrganizationalUnitIdentifier": "client"}
    document = {
        "NodeOUs": {"Enable": True, "ClientOUIdentifier": unit, "PeerOUIdentifier": unit},
        "OrganizationalUnitIdentifiers": [unit],
    }

    (tmp_path / "config.yaml").write_bytes(b"x")

    def read(text: str) -> None:
        monkeypatch.setattr("gridloom.common.msp_directory.load_yaml", lambda *_: as_yaml(text))
        load_msp(tmp_path, "Org1MSP")

    fuzz_json(read, [document])
