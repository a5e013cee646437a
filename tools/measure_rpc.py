"""Measure what a call over gRPC takes of each side's CPU, with each library.

    python tools/measure_rpc.py              64 calls at once, ten rounds of a second
    python tools/measure_rpc.py --rounds 30

Three servers with TLS, each a process, answer the same Evaluate in turn: a handler of grpc.aio
that is given bytes and returns bytes, and a service behind ``common/rpc`` that does nothing
either, over grpcio and over our own HTTP/2.  The client calls each as it is written itself.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import grpc
import grpc.aio
import uvloop
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gridloom.bench.verification import verifications_per_second
from gridloom.ca.issuer import Issuer, Profile
from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.rpc import Call, ServiceRegistry
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.rpc.transport import GRPC, GRPCIO, OURS, grpc_channel, grpc_server
from gridloom.protos.gateway.gateway_pb2 import EvaluateRequest, EvaluateResponse

SERVICE, METHOD = "gateway.Gateway", "Evaluate"
PATH = f"/{SERVICE}/{METHOD}"
KINDS = {"grpc.aio alone": "bare", "common/rpc over grpcio": GRPCIO, "over our own": OURS}
SECONDS = 1.0

ANSWER = EvaluateResponse()
ANSWER.result.payload = b"x" * 64
QUESTION = EvaluateRequest(transaction_id="x" * 64, channel_id="mychannel")
QUESTION.proposed_transaction.proposal_bytes = b"x" * 900


class IdleGateway:
    """Answers every evaluation the same."""

    async def evaluate(self, request: EvaluateRequest, call: Call) -> EvaluateResponse:
        """Return what was made before."""
        return ANSWER


def main() -> int:
    """Measure, or be one of the servers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--serve", nargs=2, metavar=("KIND", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve[0], Path(options.serve[1])))
        return 0
    print(f"one verification: {1e6 / verifications_per_second(1.0):.0f} us")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        write_certificate(Path(folder))
        servers = {
            label: stack.enter_context(Server(kind, Path(folder))) for label, kind in KINDS.items()
        }
        report(servers, options.rounds, options.concurrency)
    return 0


def report(servers: dict[str, Server], rounds: int, concurrency: int) -> None:
    """Call the servers in turn and print the least and the median round of each."""
    used: dict[str, list[tuple[float, float]]] = {label: [] for label in servers}
    for number in range(rounds + 1):
        for label, server in servers.items():
            before, mine = server.cpu_seconds(), time.process_time()
            calls = uvloop.run(drive(server, concurrency))
            client, served = time.process_time() - mine, server.cpu_seconds() - before
            if number:  # the first round warms up
                used[label].append((served / calls * 1e6, client / calls * 1e6))
    for label, found in used.items():
        served, client = zip(*found, strict=True)
        print(
            f"{label}, us of CPU a call: server {min(served):.0f} (median {median(served):.0f}), "
            f"client {min(client):.0f} (median {median(client):.0f})"
        )


class Server:
    """A process that serves one kind of handler; kind: one of KINDS."""

    def __init__(self, kind: str, folder: Path) -> None:
        command = [sys.executable, __file__, "--serve", kind, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.kind = kind
        self.roots = (folder / "cert.pem").read_bytes()
        self.target = f"localhost:{self._read()}"

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


async def serve(kind: str, folder: Path) -> None:
    """Serve until standard input ends; each line of it is answered with the CPU used."""
    certificate, key = (folder / "cert.pem").read_bytes(), (folder / "key.pem").read_bytes()
    if kind in (OURS, GRPCIO):
        os.environ[GRPC] = kind
        registry = ServiceRegistry()
        registry.add(SERVICE, IdleGateway(), concurrency=500)
        ours = grpc_server(registry, "localhost:0", ServerTls(certificate, key))
        print(await ours.start(), flush=True)
        await asyncio.to_thread(answer_questions)
        await ours.stop(0)
        return
    encoded = ANSWER.SerializeToString()

    async def answer(request: bytes, context: object) -> bytes:
        return encoded

    handlers = {METHOD: grpc.unary_unary_rpc_method_handler(answer)}  # type: ignore[arg-type]
    bare = grpc.aio.server()
    bare.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    print(bare.add_secure_port("localhost:0", credentials), flush=True)
    await bare.start()
    await asyncio.to_thread(answer_questions)
    await bare.stop(0)


def answer_questions() -> None:
    """Say how much CPU this process has used, whenever asked."""
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


async def drive(server: Server, concurrency: int) -> int:
    """Call a server for a while, so often at once; return how many calls there were."""
    end, calls = time.monotonic() + SECONDS, 0

    async def caller(call: Callable[[], Awaitable[object]]) -> None:
        nonlocal calls
        while time.monotonic() < end:
            await call()
            calls += 1

    if server.kind in (OURS, GRPCIO):
        os.environ[GRPC] = server.kind
        ours = grpc_channel(server.target, ClientTls(server.roots))

        async def called() -> None:
            await ours.unary(PATH, QUESTION, EvaluateResponse, timeout=5.0)

        await asyncio.gather(*(caller(called) for _ in range(concurrency)))
        await ours.close()
        return calls
    encoded, credentials = QUESTION.SerializeToString(), grpc.ssl_channel_credentials(server.roots)
    async with grpc.aio.secure_channel(server.target, credentials) as bare:
        method = bare.unary_unary(PATH)
        await asyncio.gather(
            *(caller(lambda: method(encoded, timeout=5.0)) for _ in range(concurrency))
        )
    return calls


def write_certificate(folder: Path) -> None:
    """Make a certificate that is its own root."""
    authority = Issuer.create(Subject("ca"), lambda: datetime.now(UTC), os.urandom)
    key = crypto.generate_key(os.urandom)
    issued = authority.issue(
        key.public_key(), Subject("localhost"), hosts=["localhost"], profile=Profile.TLS
    )
    form = PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    (folder / "cert.pem").write_bytes(issued.pem() + authority.certificate.pem())


if __name__ == "__main__":
    raise SystemExit(main())
