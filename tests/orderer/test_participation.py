"""The channel participation API, held against the answers that osnadmin got of a real orderer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from gridloom.client.admin.participation import (
    AdminUnreachable,
    OrdererAdmin,
    OrdererChannel,
    ParticipationError,
)
from gridloom.common.blocks import last_config_index
from gridloom.common.multipart import Part, write_form
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.node import Orderer
from gridloom.orderer.participation import MAX_BODY, participation
from gridloom.orderer.registrar import ChannelInfo, ChannelMissing, ChannelPendingRemoval
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common.common_pb2 import Block, Envelope
from harness.ordering import (
    CHANNEL,
    change_orderer,
    genesis,
    message,
    orderer_signer,
    set_timeout,
)
from harness.shared import shared
from harness.web import Answer, Direct, serving

CHANNELS = "/participation/v1/channels"


def recorded(name: str) -> tuple[int, dict]:
    """The status and the body that osnadmin printed."""
    text = shared("golden", "lifecycle", f"osnadmin_{name}.txt").read_text()
    status, _, body = text.partition("\n")
    return int(status.removeprefix("Status: ")), json.loads(body)


def file_of(name: str, data: bytes) -> tuple[bytes, dict[str, str]]:
    content_type, body = write_form([Part(name, "file", data)])
    return body, {"Content-Type": content_type}


@pytest.fixture
async def orderer():
    node = Orderer(orderer_signer(), "OrdererMSP", MemoryStorage(), cutting=CuttingMode.IDLE)
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
def web(orderer) -> Direct:
    return Direct(participation(orderer.registrar))


async def join(web: Direct, block: Block) -> Answer:
    return await web("POST", CHANNELS, *file_of("config-block", block.SerializeToString()))


async def update(web: Direct, envelope: Envelope) -> Answer:
    data = envelope.SerializeToString()
    return await web("PUT", CHANNELS, *file_of("config-update-envelope", data))


def compact(body: dict) -> bytes:
    """As Go's encoder writes it; osnadmin indented what it printed."""
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def refusal(answer: Answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    return answer.status, json.loads(answer.body)["error"]


# --- what osnadmin saw ----------------------------------------------------------------


async def test_an_orderer_without_channels_lists_null(web):
    answer = await web("GET", CHANNELS)
    assert answer.status == 200
    assert answer.body == b'{"systemChannel":null,"channels":null}\n'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


async def test_channels_are_listed_as_recorded(orderer, web):
    status, body = recorded("list")
    for channel in body["channels"]:
        orderer.join(genesis(channel_id=channel["name"]))
    answer = await web("GET", CHANNELS)
    assert answer.status == status
    found = json.loads(answer.body)
    # Go walks its map of channels in no order; here they come by name.
    found["channels"].sort(
        key=lambda channel: [c["name"] for c in body["channels"]].index(channel["name"])
    )
    assert json.dumps(found) == json.dumps(body)


async def test_one_channel_is_shown_as_recorded(orderer, web):
    status, body = recorded("list_golden1")
    orderer.join(genesis(channel_id="golden1"))
    answer = await web("GET", f"{CHANNELS}/golden1")
    # The recorded orderer belongs to a raft cluster and was 66 blocks high.
    here = body | {"consensusRelation": "other", "height": 1}
    assert (answer.status, answer.body) == (
        status,
        json.dumps(here, separators=(",", ":")).encode() + b"\n",
    )
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_channel_is_refused_as_recorded(web):
    status, body = recorded("list_nosuch")
    assert refusal(await web("GET", f"{CHANNELS}/nosuch")) == (status, body["error"])


async def test_joining_again_is_refused_as_recorded(orderer, web):
    status, body = recorded("join_again")
    orderer.join(genesis())
    answer = await join(web, genesis())
    assert refusal(answer) == (status, body["error"])
    assert answer.headers["allow"] == "GET, DELETE"


# --- joining --------------------------------------------------------------------------


async def test_a_channel_joined_over_http_orders_at_once(orderer, web):
    answer = await join(web, genesis())
    assert answer.status == 201
    assert answer.headers["location"] == f"{CHANNELS}/{CHANNEL}"
    assert json.loads(answer.body) == {
        "name": CHANNEL,
        "url": f"{CHANNELS}/{CHANNEL}",
        "consensusRelation": "other",
        "status": "active",
        "height": 1,
    }
    support = orderer.registrar.get(CHANNEL)
    await support.chain.order(message(), 0)
    await asyncio.wait_for(support.wait_for(2), 60)


def later_block() -> Block:
    block = genesis()
    block.header.number = 7
    return block


def damaged() -> Block:
    block = genesis()
    block.header.data_hash = b"another"
    return block


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (Block, "invalid join block: block is not a config block"),
        (damaged, "invalid join block: invalid block: Header.DataHash is different from Hash("),
        (later_block, "cannot join: channel mychannel can only be joined with its genesis block"),
        (
            lambda: Block.FromString(shared("golden", "config", "genesis.block").read_bytes()),
            "cannot join: [channel: golden1] no consenter of type 'etcdraft'",
        ),
    ],
)
async def test_a_block_that_no_channel_begins_with_is_refused(orderer, web, block, reason):
    status, text = refusal(await join(web, block()))
    assert status == 400
    assert text.startswith(reason)
    assert orderer.channels() == ()


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "cannot read form from request body: multipart: NextPart: EOF"),
        ([Part("other", "file", b"")], "form does not contains part key: {}"),
        ([Part("{}", None, b"")], "form does not contains part key: {}"),
        ([Part("{}", "file", b""), Part("x", "file", b"")], "form contains too many parts"),
        ([Part("{}", "file", b""), Part("x", None, b"")], "form contains too many parts"),
        ([Part("{}", "file", b"\xff")], "cannot unmarshal file part {} into a"),
        (
            [Part("{}", "file", b"x" * (MAX_BODY + 1))],
            "cannot read form from request body: multipart: NextPart: http: request body too large",
        ),
    ],
)  # fmt: skip
async def test_a_form_must_be_one_file(web, method, parts, reason):
    key = "config-block" if method == "POST" else "config-update-envelope"
    named = [replace(part, name=part.name.format(key)) for part in parts]
    content_type, body = write_form(named)
    body = body if named else b""
    answer = await web(method, CHANNELS, body, {"Content-Type": content_type})
    status, text = refusal(answer)
    assert status == 400
    assert text.startswith(reason.format(key))


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_other_bodies_are_refused_by_their_type(web, method):
    answer = await web(method, CHANNELS, b"{}", {"Content-Type": "text/plain"})
    assert refusal(answer) == (400, "unsupported Content-Type: [text/plain]")
    answer = await web(method, CHANNELS, b"", {"Content-Type": "multipart/form-data"})
    reason = "cannot read form from request body: multipart: boundary is empty"
    assert refusal(answer) == (400, reason)


# --- giving up ------------------------------------------------------------------------


async def test_a_channel_is_removed_while_it_runs_and_can_be_joined_again(orderer, web):
    orderer.join(genesis())
    await orderer.registrar.get(CHANNEL).chain.order(message(), 0)
    answer = await web("DELETE", f"{CHANNELS}/{CHANNEL}")
    assert (answer.status, answer.body) == (204, b"")
    assert refusal(await web("GET", f"{CHANNELS}/{CHANNEL}")) == (404, "channel does not exist")
    gone = await web("DELETE", f"{CHANNELS}/{CHANNEL}")
    assert refusal(gone) == (404, "cannot remove: channel does not exist")
    assert (await join(web, genesis())).status == 201


class Removing:
    """An orderer that is giving up its only channel."""

    def __init__(self, *, failed: bool) -> None:
        self.failed = failed

    def channels(self):
        return (self.info("x"),)

    def info(self, channel_id: str) -> ChannelInfo:
        return ChannelInfo("x", 0, "other", "failed" if self.failed else "active")

    def join(self, block: Block) -> ChannelInfo:
        raise ChannelPendingRemoval("x", failed=self.failed)

    async def remove(self, channel_id: str) -> None:
        raise ChannelPendingRemoval("x", failed=False)

    async def update(self, channel_id: str, envelope: Envelope) -> ChannelInfo:
        raise ChannelPendingRemoval("x", failed=self.failed)

    def block(self, channel_id: str, block_id: object) -> Block:
        raise ChannelPendingRemoval("x", failed=self.failed)


async def test_a_channel_being_removed_is_shown_and_in_nobodys_hands():
    web = Direct(participation(Removing(failed=False)))
    shown = json.loads((await web("GET", f"{CHANNELS}/x")).body)
    assert (shown["status"], shown["height"]) == ("active", 0)
    pending = "channel pending removal"
    assert refusal(await join(web, genesis())) == (409, f"cannot join: {pending}")
    deleted = await web("DELETE", f"{CHANNELS}/x")
    assert refusal(deleted) == (409, f"cannot remove: {pending}")
    changed = await update(web, change_orderer(genesis(), set_timeout("1s")))
    assert refusal(changed) == (409, f"cannot update: {pending}")
    assert refusal(await web("GET", f"{CHANNELS}/x/blocks/newest")) == (404, pending)


async def test_a_removal_that_failed_is_shown_as_such():
    web = Direct(participation(Removing(failed=True)))
    assert json.loads((await web("GET", f"{CHANNELS}/x")).body)["status"] == "failed"
    failure = "channel removal failure"
    assert refusal(await join(web, genesis())) == (500, f"cannot join: {failure}")
    changed = await update(web, change_orderer(genesis(), set_timeout("1s")))
    assert refusal(changed) == (500, f"cannot update: {failure}")


# --- updates and blocks (Fabric 3) ----------------------------------------------------


async def test_an_update_is_ordered(orderer, web):
    orderer.join(genesis())
    support = orderer.registrar.get(CHANNEL)
    block = support.get_block(0)
    answer = await update(web, change_orderer(block, set_timeout("1s")))
    assert answer.status == 201
    assert answer.headers["location"] == f"{CHANNELS}/{CHANNEL}"
    await asyncio.wait_for(support.wait_for(2), 60)
    assert support.bundle.orderer.batch_timeout.total_seconds() == 1


async def test_an_update_that_is_not_allowed_says_why(orderer, web):
    unsigned = change_orderer(genesis(), set_timeout("1s"), admins=())
    assert refusal(await update(web, unsigned)) == (405, "cannot update: channel does not exist")
    orderer.join(genesis())
    block = orderer.registrar.get(CHANNEL).get_block(0)
    status, reason = refusal(await update(web, change_orderer(block, set_timeout("1s"), admins=())))
    assert status == 400
    assert reason.startswith("cannot update: failed update config of channel mychannel: ")
    assert "BatchTimeout not satisfied" in reason


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (Envelope(payload=b"\xff"), "bad payload"),
        (Envelope(), "bad header"),
        (message(), "bad type"),
        (message(header_type=2, channel_id=""), "empty channel id"),
        (message(b"\xff", header_type=2), ""),
    ],
)
async def test_what_is_no_update_is_refused(web, envelope, reason):
    status, text = refusal(await update(web, envelope))
    assert status == 400
    assert text.startswith(f"invalid config update envelope: {reason}")


async def test_blocks_are_given_by_number_and_name(orderer, web):
    orderer.join(genesis())
    support = orderer.registrar.get(CHANNEL)
    await support.chain.order(message(), 0)
    await support.wait_for(2)

    async def block(name: str) -> Block:
        answer = await web("GET", f"{CHANNELS}/{CHANNEL}/blocks/{name}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "no-store"
        return Block.FromString(answer.body)

    for name, number in {"newest": 1, "oldest": 0, "config": 0, "0": 0, "1": 1, "-1": 1}.items():
        assert await block(name) == support.get_block(number), name
    assert last_config_index(await block("newest")) == 0


@pytest.mark.parametrize("name", ["blabla", "1.5", "9223372036854775808", "1_0", "%20"])
async def test_a_name_that_no_block_has_is_refused(web, name):
    status, reason = refusal(await web("GET", f"{CHANNELS}/x/blocks/{name}"))
    assert status == 400
    assert reason.startswith("invalid block ID: '")
    assert reason.endswith("' not equal <newest|oldest|config|(number)>")


async def test_a_block_that_is_not_there_is_not_found(orderer, web):
    newest = await web("GET", f"{CHANNELS}/nosuch/blocks/newest")
    assert refusal(newest) == (404, "channel does not exist")
    orderer.join(genesis())
    absent = await web("GET", f"{CHANNELS}/{CHANNEL}/blocks/12")
    assert refusal(absent) == (404, "no such block number [12] in index")
    largest = await web("GET", f"{CHANNELS}/{CHANNEL}/blocks/-2")
    assert refusal(largest) == (404, "no such block number [18446744073709551614] in index")


# --- HTTP -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (CHANNELS, "GET, POST, PUT"),
        (f"{CHANNELS}/x", "GET, DELETE"),
        (f"{CHANNELS}/x/blocks/1", "GET"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "TRACE", "OPTIONS"])
async def test_a_method_that_a_path_lacks_is_answered_with_those_it_has(web, path, allow, method):
    answer = await web(method, path)
    assert refusal(answer) == (405, f"invalid request method: {method}")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    "path", ["/", "/participation", f"{CHANNELS}/", f"{CHANNELS}/x/y", "/docs"]
)
async def test_other_paths_are_not_found(web, path):
    answer = await web("GET", path)
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


async def test_the_base_leads_to_the_channels(web):
    answer = await web("GET", "/participation/v1/")
    assert (answer.status, answer.headers["location"]) == (302, CHANNELS)
    assert (await web("POST", "/participation/v1/")).status == 405


@pytest.mark.parametrize("accept", ["application/json", "text/html,*/*", "application/*", ""])
async def test_a_client_that_takes_json_gets_it(web, accept):
    assert (await web("GET", CHANNELS, headers={"Accept": accept})).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/x"),
        ("DELETE", "/x"),
        ("GET", "/x/blocks/1"),
        ("POST", ""),
        ("PUT", ""),
    ],
)
async def test_a_client_that_takes_no_json_is_turned_away(web, method, path):
    headers = {"Accept": "text/html", "Content-Type": "multipart/form-data; boundary=b"}
    answer = await web(method, CHANNELS + path, b"", headers)
    assert refusal(answer) == (406, "response Content-Type is application/json only")


@pytest.mark.parametrize("path", ["/Oops", "/Oops/blocks/1"])
async def test_a_name_that_no_channel_can_have_is_refused(web, path):
    reason = "invalid channel ID: 'Oops' contains illegal characters"
    assert refusal(await web("GET", CHANNELS + path)) == (400, reason)


async def test_switched_off_it_says_so():
    web = Direct(participation(Removing(failed=False), enabled=False))
    for method, path in (("GET", CHANNELS), ("PUT", "/"), ("DELETE", f"{CHANNELS}/x")):
        answer = await web(method, path)
        assert refusal(answer) == (503, "channel participation API is disabled")


# --- the client of these answers ------------------------------------------------------


async def test_our_own_client_understands_every_answer(orderer):
    async with serving(lambda: participation(orderer.registrar)) as web:
        admin = OrdererAdmin(f"127.0.0.1:{web.port}")
        assert await admin.channels() == []
        joined = await admin.join(genesis())
        assert joined == OrdererChannel(CHANNEL, "other", "active", 1)
        assert await admin.channels() == [CHANNEL]
        assert await admin.channel(CHANNEL) == joined
        assert (await admin.block(CHANNEL, "config")).header.number == 0
        block = orderer.registrar.get(CHANNEL).get_block(0)
        assert (await admin.update(change_orderer(block, set_timeout("1s")))).name == CHANNEL
        with pytest.raises(ParticipationError) as caught:
            await admin.join(genesis())
        assert caught.value.status == 405
        assert caught.value.reason == "cannot join: channel already exists"
        await admin.remove(CHANNEL)
    with pytest.raises(ChannelMissing):
        orderer.registrar.get(CHANNEL)


async def test_our_own_client_says_when_nobody_answers():
    async with serving(lambda: hello) as web:
        with pytest.raises(ParticipationError, match="what no orderer says"):
            await OrdererAdmin(f"127.0.0.1:{web.port}").channels()
    with pytest.raises(AdminUnreachable, match="refused"):
        await OrdererAdmin(f"127.0.0.1:{web.port}").channels()


async def hello(scope, receive, send) -> None:
    """Somebody else's server."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
