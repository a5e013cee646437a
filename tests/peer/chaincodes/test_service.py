"""Chaincode as a service: the handshake, many transactions on one stream, and its losses."""

import asyncio
import json

import pytest

from gridloom.common.rpc import ServiceRegistry
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.local import LocalChannel
from gridloom.peer.chaincodes.errors import ExecutionFailed
from gridloom.peer.chaincodes.service_launcher import ServiceLauncher
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_pb2 import (
    ChaincodeAdditionalParams,
    ChaincodeID,
    ChaincodeInput,
    ChaincodeSpec,
)
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.proposal_response_pb2 import Response
from harness.chaincode_peer import HostBench, call, completed, invocation

REGISTER = ChaincodeMessage.REGISTER


class Service:
    """A chaincode service that runs an async script for each transaction.

    script(message, ask): ask(kind, payload) sends a request and returns the answer.
    """

    def __init__(self, script, name=None):
        self._script = script
        self.name = name
        self.received = []
        self.streams = 0
        self.hang_up = asyncio.Event()

    async def connect(self, requests, call):
        self.streams += 1
        self.hang_up.clear()
        outgoing = asyncio.Queue()
        reader = asyncio.create_task(self._read(requests, outgoing))
        name = ChaincodeID(name=self.name).SerializeToString()
        yield ChaincodeMessage(type=REGISTER, payload=name)
        try:
            while (message := await outgoing.get()) is not None:
                yield message
        finally:
            reader.cancel()

    async def _read(self, requests, outgoing):
        answers, tasks = {}, []
        ended = asyncio.create_task(self._end(outgoing))
        try:
            async for message in requests:
                self.received.append(message)
                key = (message.channel_id, message.txid)
                if message.type in (ChaincodeMessage.TRANSACTION, ChaincodeMessage.INIT):
                    answers[key] = asyncio.Queue()
                    run = self._run(message, answers[key], outgoing)
                    tasks.append(asyncio.create_task(run))
                elif key in answers:
                    answers[key].put_nowait(message)
        finally:
            for task in (*tasks, ended):
                task.cancel()

    async def _end(self, outgoing):
        await self.hang_up.wait()
        outgoing.put_nowait(None)

    async def _run(self, message, answers, outgoing):
        async def ask(kind, payload):
            data = payload if isinstance(payload, bytes) else payload.SerializeToString()
            ids = {"txid": message.txid, "channel_id": message.channel_id}
            outgoing.put_nowait(ChaincodeMessage(type=kind, payload=data, **ids))
            return await answers.get()

        outgoing.put_nowait(await self._script(message, ask))


async def echo(message, ask):
    args = ChaincodeInput.FromString(message.payload).args
    return completed(message, b" ".join(args))


class Bench:
    """A host whose services are reached in this process, by address."""

    def __init__(self, **limits):
        self.services = {}
        self.inner = HostBench.create(ccaas=ServiceLauncher(dial=self._dial, **limits))

    async def _dial(self, connection):
        registry = ServiceRegistry()
        registry.add("protos.Chaincode", self.services[connection.address])
        return LocalChannel(registry)

    def deploy(self, name, script, **fields):
        service = self.services[name] = Service(script)
        connection = json.dumps({"address": name}).encode()
        package_id = self.inner.install(name, kind="ccaas", files={"connection.json": connection})
        self.inner.define(name, package_id, **fields)
        service.name = package_id
        return service

    async def invoke(self, name, *args, tx_id="tx1"):
        simulator = self.inner.simulator(tx_id=tx_id)
        try:
            call = invocation(name, *args, simulator=simulator, tx_id=tx_id)
            response, _ = await self.inner.host.invoke(call)
            return response, simulator.results()
        finally:
            simulator.done()

    async def failure(self, name):
        with pytest.raises(ExecutionFailed) as caught:
            await self.invoke(name)
        return str(caught.value)


@pytest.fixture
async def bench():
    created = []

    def create(**limits):
        created.append(Bench(**limits))
        return created[-1]

    yield create
    for each in created:
        await each.inner.host.stop()


async def test_the_handshake_offers_batches(bench):
    bench = bench()
    service = bench.deploy("svc", echo)
    response, _ = await bench.invoke("svc", b"hello")
    assert response.payload == b"hello"
    registered, ready, transaction = service.received
    assert (registered.type, registered.payload) == (ChaincodeMessage.REGISTERED, b"")
    parameters = ChaincodeAdditionalParams.FromString(ready.payload)
    assert (parameters.use_write_batch, parameters.max_size_write_batch) == (True, 1000)
    assert (parameters.use_get_multiple_keys, parameters.max_size_get_multiple_keys) == (True, 1000)
    assert transaction.type == ChaincodeMessage.TRANSACTION
    assert transaction.HasField("proposal")


async def test_requests_are_answered_from_the_simulator(bench):
    bench = bench()

    async def script(message, ask):
        answer = await ask(ChaincodeMessage.PUT_STATE, shim.PutState(key="a", value=b"1"))
        assert answer.type == ChaincodeMessage.RESPONSE
        return completed(message)

    bench.deploy("svc", script)
    _, results = await bench.invoke("svc")
    assert ("svc", "") in results.written


async def test_many_transactions_share_one_stream(bench):
    bench = bench()
    everybody = asyncio.Barrier(5)

    async def script(message, ask):
        await everybody.wait()
        await ask(ChaincodeMessage.GET_STATE, shim.GetState(key="a"))
        return await echo(message, ask)

    service = bench.deploy("svc", script)
    answers = await asyncio.gather(
        *(bench.invoke("svc", b"%d" % i, tx_id=f"tx{i}") for i in range(5))
    )
    assert [response.payload for response, _ in answers] == [b"%d" % i for i in range(5)]
    assert service.streams == 1


async def test_a_transaction_that_takes_too_long_fails_alone(bench):
    bench = bench(execute_timeout=0.1)

    async def script(message, ask):
        if message.txid == "slow":
            await asyncio.sleep(30)
        return await echo(message, ask)

    service = bench.deploy("svc", script)
    with pytest.raises(ExecutionFailed) as caught:
        await bench.invoke("svc", tx_id="slow")
    assert str(caught.value) == (
        "failed to execute transaction slow: error sending: "
        "timeout expired while executing transaction"
    )
    bench.inner.host._launches.require(service.name)._execute_timeout = 60.0  # no need to hurry
    assert service.streams == 1
    assert (await bench.invoke("svc", b"ok"))[0].payload == b"ok"


async def test_a_lost_stream_fails_its_transactions_and_is_dialled_again(bench):
    bench = bench()

    async def script(message, ask):
        if service.streams == 1:
            service.hang_up.set()
            await asyncio.sleep(30)
        return await echo(message, ask)

    service = bench.deploy("svc", script)
    assert await bench.failure("svc") == (
        "failed to execute transaction tx1: error sending: chaincode stream terminated"
    )
    assert (await bench.invoke("svc", b"again"))[0].payload == b"again"
    assert service.streams == 2


async def test_a_service_of_another_package_is_not_taken(bench):
    bench = bench()
    service = bench.deploy("svc", echo)
    service.name = "other:1"
    assert "the service registered as 'other:1'" in await bench.failure("svc")


async def test_a_service_that_does_not_register_in_time_is_given_up(bench):
    bench = bench(startup_timeout=0.05)
    service = bench.deploy("svc", echo)

    async def silent(requests, call):
        await asyncio.sleep(30)
        yield ChaincodeMessage()

    service.connect = silent
    assert "timeout expired while starting chaincode svc:" in await bench.failure("svc")


@pytest.mark.parametrize(
    "message",
    [
        ChaincodeMessage(type=ChaincodeMessage.COMPLETED),
        ChaincodeMessage(type=REGISTER, payload=b"\xff"),
    ],
)
async def test_a_service_that_speaks_out_of_turn_is_refused(bench, message):
    bench = bench()
    service = bench.deploy("svc", echo)

    async def rude(requests, call):
        yield message

    service.connect = rude
    assert "could not launch chaincode svc:" in await bench.failure("svc")


async def test_an_unknown_message_ends_the_stream(bench):
    bench = bench()

    async def script(message, ask):
        await ask(ChaincodeMessage.READY, b"")
        return completed(message)

    bench.deploy("svc", script)
    assert (await bench.failure("svc")).endswith("chaincode stream terminated")


async def test_keepalives_are_taken_without_an_answer(bench):
    bench = bench()

    async def script(message, ask):
        keepalive = asyncio.create_task(ask(ChaincodeMessage.KEEPALIVE, b""))
        answer = await ask(ChaincodeMessage.GET_STATE, shim.GetState(key="a"))
        keepalive.cancel()
        assert answer.type == ChaincodeMessage.RESPONSE
        return completed(message)

    bench.deploy("svc", script)
    await bench.invoke("svc")


async def test_requests_after_the_end_have_no_ledger_context(bench):
    bench = bench()
    late = asyncio.Queue()

    async def script(message, ask):
        async def after():
            await asyncio.sleep(0.05)
            late.put_nowait(await ask(ChaincodeMessage.GET_STATE, shim.GetState(key="a")))

        script.task = asyncio.create_task(after())
        return completed(message)

    bench.deploy("svc", script)
    await bench.invoke("svc")
    answer = await late.get()
    assert answer.payload == b"GET_STATE failed: transaction ID: tx1: no ledger context"


async def test_services_and_chaincode_in_process_call_each_other(bench):
    bench = bench()

    def caller_of(target):
        async def script(message, ask):
            spec = ChaincodeSpec(
                chaincode_id=ChaincodeID(name=target), input=ChaincodeInput(args=[b"hi"])
            )
            answer = await ask(ChaincodeMessage.INVOKE_CHAINCODE, spec)
            assert answer.type == ChaincodeMessage.RESPONSE, answer.payload
            inner = ChaincodeMessage.FromString(answer.payload)
            return completed(message, Response.FromString(inner.payload).payload + b"<")

        return script

    def in_process(message, exchange):
        inner = call(exchange, message, "last", b"hi")
        return completed(message, Response.FromString(inner.payload).payload + b"<")

    bench.deploy("last", echo)
    bench.inner.deploy("middle", in_process)
    bench.deploy("first", caller_of("middle"))

    def outer(message, exchange):
        inner = call(exchange, message, "first")
        return completed(message, Response.FromString(inner.payload).payload + b"<")

    bench.inner.deploy("outer", outer)
    answers = await asyncio.gather(*(bench.invoke("outer", tx_id=f"tx{i}") for i in range(40)))
    assert {response.payload for response, _ in answers} == {b"hi<<<"}


async def test_the_same_transaction_twice_at_once_is_refused(bench):
    bench = bench()
    started, go_on = asyncio.Event(), asyncio.Event()

    async def script(message, ask):
        started.set()
        await go_on.wait()
        return completed(message)

    bench.deploy("svc", script)
    first = asyncio.create_task(bench.invoke("svc"))
    await started.wait()
    assert (await bench.failure("svc")).endswith("error sending: txid: tx1(test) exists")
    go_on.set()
    await first


async def test_over_grpc_it_is_the_same(bench):
    service = Service(echo)
    registry = ServiceRegistry()
    registry.add("protos.Chaincode", service)
    server = GrpcServer(registry, "127.0.0.1:0")
    await server.start()
    inner = HostBench.create(ccaas=ServiceLauncher())
    try:
        connection = json.dumps({"address": f"127.0.0.1:{server.port}"}).encode()
        package_id = inner.install("svc", kind="ccaas", files={"connection.json": connection})
        inner.define("svc", package_id)
        service.name = package_id
        simulator = inner.simulator()
        response, _ = await inner.host.invoke(invocation("svc", b"wire", simulator=simulator))
        simulator.done()
        assert response.payload == b"wire"
    finally:
        await inner.host.stop()
        await server.stop(0)


async def test_an_address_where_nobody_listens_is_told():
    inner = HostBench.create(ccaas=ServiceLauncher())
    connection = json.dumps({"address": "127.0.0.1:1", "dial_timeout": "100ms"}).encode()
    package_id = inner.install("svc", kind="ccaas", files={"connection.json": connection})
    inner.define("svc", package_id)
    simulator = inner.simulator()
    with pytest.raises(ExecutionFailed) as caught:
        await inner.host.invoke(invocation("svc", simulator=simulator))
    simulator.done()
    assert str(caught.value) == (
        f"failed to execute transaction tx1: could not launch chaincode {package_id}: "
        f"connection to {package_id} failed: error cannot create connection for {package_id}: "
        "error creating grpc connection to 127.0.0.1:1: failed to create new connection: "
        "context deadline exceeded"
    )
