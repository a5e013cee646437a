"""Measure a membership CA: registrations and enrollments per second, over TLS.

    python tools/measure_ca.py           250 of each, some 20 s

`gridloom ca start` runs as a process of its own on SQLite, synced at each commit; 16 clients keep
their connections.  An enrollment hashes a secret (Argon2id), so the rate is also given as a
multiple of the hashes that one core makes, measured in the same run.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gridloom.ca.secret_hash import hash_secret
from gridloom.common import crypto
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.tls_context import client_context

COUNT = 250
CLIENTS = 16


def main(arguments: list[str]) -> int:
    """Measure and print one line for each figure."""
    if arguments:
        print(__doc__)
        return 2
    hashes_per_second = one_core()
    print(f"Argon2id hashes of one core: {hashes_per_second:.0f}/s")
    with tempfile.TemporaryDirectory() as folder:
        with started(Path(folder)) as port:
            ca = Client(port, Path(folder) / "ca-cert.pem")
            admin, key = ca.enroll("admin", "adminpw")
            names = [f"user{number}" for number in range(COUNT)]
            ca.ready_requests(names, admin, key)
            report("register", ca.register, names, hashes_per_second)
            report("enroll", ca.enroll_again, names, hashes_per_second)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime
        print(f"CPU of the server, start included: {seconds:.1f} s for {2 * COUNT} requests")
    return 0


def one_core() -> float:
    """Return how many secrets one core hashes in a second."""
    started_at = time.thread_time()
    for _ in range(20):
        hash_secret("secret", os.urandom)
    return 20 / (time.thread_time() - started_at)


@contextmanager
def started(home: Path) -> Iterator[int]:
    """A CA in a process; its port."""
    command = [sys.executable, "-m", "gridloom", "ca", "start", "--home", str(home)]
    options = ["-b", "admin:adminpw", "-n", "ca", "--port", "0", "--tls"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().rpartition(":")[2])
        finally:
            server.terminate()
            server.wait()


def report(
    name: str, call: Callable[[str], object], names: list[str], hashes_per_second: float
) -> None:
    """Call for each name, many at a time, and print what that took."""
    taken: list[float] = []

    def timed(name: str) -> None:
        started_at = time.perf_counter()
        call(name)
        taken.append(time.perf_counter() - started_at)

    started_at = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(timed, names))
    rate = len(names) / (time.perf_counter() - started_at)
    taken.sort()
    middle, late = taken[len(taken) // 2] * 1e3, taken[len(taken) * 99 // 100] * 1e3
    ratio = rate / hashes_per_second
    print(
        f"{name}: {rate:.0f}/s, {ratio:.2f} of a core's hashes; {middle:.0f} ms, p99 {late:.0f} ms"
    )


@dataclass
class Client:
    """Asks the CA; each thread has a connection of its own."""

    port: int
    root: Path

    def __post_init__(self) -> None:
        self._tls = client_context(ClientTls(self.root.read_bytes()))
        self._mine = threading.local()
        self._registrations: dict[str, tuple[bytes, str]] = {}
        self._requests: dict[str, bytes] = {}

    def ready_requests(
        self, names: list[str], admin: bytes, key: ec.EllipticCurvePrivateKey
    ) -> None:
        """Make and sign all requests beforehand: the client's work is not what is measured."""
        certificate = base64.b64encode(admin).decode()
        uri = base64.b64encode(b"/register").decode()
        for name in names:
            body = json.dumps({"id": name, "secret": "secret", "affiliation": "org1"}).encode()
            signed = f"{base64.b64encode(body).decode()}.{certificate}"
            signature = crypto.sign(key, f"POST.{uri}.{signed}".encode())
            token = f"{certificate}.{base64.b64encode(signature).decode()}"
            self._registrations[name] = body, token
            self._requests[name] = signing_request(name, key)

    def register(self, name: str) -> None:
        """Register one of the names."""
        body, token = self._registrations[name]
        self._ask("/register", body, token)

    def enroll_again(self, name: str) -> None:
        """Enroll one of the names."""
        self._ask("/enroll", self._requests[name], basic(name, "secret"))

    def enroll(self, name: str, secret: str) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
        """Enroll with a new key; certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        result = self._ask("/enroll", signing_request(name, key), basic(name, secret))
        return base64.b64decode(result["Cert"]), key

    def _ask(self, path: str, body: bytes, authorization: str) -> dict[str, Any]:
        if not hasattr(self._mine, "connection"):
            self._mine.connection = http.client.HTTPSConnection(
                "localhost", self.port, timeout=60, context=self._tls
            )
        self._mine.connection.request("POST", path, body, {"Authorization": authorization})
        answer = self._mine.connection.getresponse()
        data = json.loads(answer.read())
        if not data["success"]:
            raise SystemExit(f"{path}: {answer.status} {data['errors']}")
        return dict(data["result"])


def signing_request(name: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The body of an enrollment."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    return json.dumps({"certificate_request": text}).encode()


def basic(name: str, secret: str) -> str:
    """The header of HTTP's Basic scheme."""
    return f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
