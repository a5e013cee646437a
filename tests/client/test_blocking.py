"""The SDK without asyncio, over TLS to a network that runs in another thread."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest

from gridloom.client import EndorseError, GatewayError, Timeouts
from gridloom.client.blocking import EventLoopThread, blocking, connect
from gridloom.common.rpc import Code
from gridloom.common.rpc.tls import ClientTls
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.client_networks import deploy
from harness.network import PROBE

PEER = "peer0.org1.example.com"


class ServedNetwork:
    """The test network on free ports; target, TLS roots and a user's signer for clients."""

    def __init__(self):
        topology = Topology.default().with_ports(lambda _: 0)
        self.network = Network.in_memory(topology, development=False)

    async def start(self):
        await self.network.start()
        await deploy(self.network, PROBE, "probe")
        await self.network.serve()

    def connect(self, **options):
        (node,) = self.network.topology.organization("Org1").peers
        roots = self.network.access.material.node(PEER).tls.root
        signer = self.network.access.signer("Org1", "User1")
        return connect(node.endpoint, signer, ClientTls(roots, server_name=PEER), **options)


@contextmanager
def running(served):
    thread = EventLoopThread()
    thread.run(served.start())
    try:
        yield served
    finally:
        thread.run(served.network.stop())
        thread.close()


@pytest.fixture(scope="module")
def served():
    with running(ServedNetwork()) as served:
        yield served


@pytest.fixture
def gateway(served):
    with served.connect() as gateway:
        yield gateway


@pytest.fixture
def probe(gateway):
    return gateway.get_network("mychannel").get_contract("probe")


def client_threads():
    return [thread for thread in threading.enumerate() if thread.name == "gridloom-client"]


def test_calls_return_and_steps_can_be_gone_one_by_one(probe):
    assert probe.submit_transaction("put", "key", "value") == b"value"
    assert probe.evaluate_transaction("get", "key") == b"value"
    proposal = probe.new_proposal("put", ["key", "again"])
    transaction = proposal.endorse()
    assert transaction.result == b"again"
    submitted = transaction.submit()
    status = submitted.get_status(timeout=60)
    assert status.successful
    assert status.transaction_id == proposal.transaction_id
    assert "blocking" in repr(transaction)


def test_errors_are_those_of_the_sdk(probe):
    with pytest.raises(EndorseError) as caught:
        probe.submit_transaction("fail", "no sun today")
    (detail,) = caught.value.details
    assert detail.message == "chaincode response 500, no sun today"
    with pytest.raises(GatewayError):
        probe.evaluate_transaction("nosuch")


def test_events_are_listened_to_with_with(gateway, probe):
    network = gateway.get_network("mychannel")
    with network.chaincode_events("probe") as events:
        with pytest.raises(TimeoutError):
            events.next(timeout=0.05)
        probe.submit_transaction("emit", "dawn", "06:12")
        assert next(events).event_name == "dawn"
        probe.submit_transaction("emit", "dusk", "20:40")
        assert events.next(timeout=60).payload == b"20:40"
    with pytest.raises(StopIteration):
        next(events)


def test_events_are_iterated_with_for(gateway, probe):
    probe.submit_transaction("emit", "dawn", "06:12")
    network = gateway.get_network("mychannel")
    for block in network.filtered_block_events(start_block=0):
        assert block.number == 0
        break
    names = (event.event_name for event in network.chaincode_events("probe", start_block=0))
    assert next(names) == "dawn"
    names.close()


def test_what_is_no_stream_cannot_be_iterated_or_entered(probe):
    with pytest.raises(TypeError, match="Contract is not a request for events"):
        iter(probe).__next__()
    with pytest.raises(TypeError, match="Contract"), probe:
        pass


def test_several_threads_share_a_gateway(probe):
    failures = []

    def work(number):
        try:
            for _ in range(5):
                assert probe.submit_transaction("put", f"key{number}", "v") == b"v"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_timeouts_hold(served):
    signer = served.network.access.signer("Org1", "User1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = "{}:{}".format(*silent.getsockname())
        with connect(target, signer, timeouts=Timeouts(evaluate=0.2)) as gateway:
            probe = gateway.get_network("mychannel").get_contract("probe")
            with pytest.raises(GatewayError) as caught:
                probe.evaluate_transaction("get", "key")
            assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_closing_ends_the_thread_and_every_stream(served):
    before = len(client_threads())
    gateway = served.connect()
    events = iter(gateway.get_network("mychannel").block_events(start_block=0))
    next(events)
    waiting = gateway.get_network("mychannel").chaincode_events("probe").__enter__()
    assert len(client_threads()) == before + 1
    gateway.close()
    gateway.close()
    assert len(client_threads()) == before
    events.close()
    waiting.close()
    with pytest.raises(RuntimeError, match="the gateway is closed"):
        gateway.get_network("mychannel").get_contract("probe").evaluate_transaction("get", "key")


def test_a_connection_that_cannot_be_made_leaves_no_thread():
    before = len(client_threads())

    async def failing():
        raise OSError("no such profile")

    with pytest.raises(OSError, match="no such profile"):
        blocking(failing)
    assert len(client_threads()) == before


def test_an_interrupt_ends_the_wait_and_its_call(monkeypatch):
    thread = EventLoopThread()
    begun, cancelled = threading.Event(), threading.Event()

    async def endless():
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    class Interrupted:
        def __init__(self, future):
            self.cancel = future.cancel

        def result(self):
            assert begun.wait(60)
            raise KeyboardInterrupt

    submit = asyncio.run_coroutine_threadsafe
    monkeypatch.setattr(
        asyncio, "run_coroutine_threadsafe", lambda c, loop: Interrupted(submit(c, loop))
    )
    with pytest.raises(KeyboardInterrupt):
        thread.run(endless())
    assert cancelled.wait(60)
    monkeypatch.undo()
    thread.close()
