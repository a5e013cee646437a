"""``gridloom ca start`` as a real process: started, asked, killed at any moment, started again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from gridloom.ca.config_file import create_config
from gridloom.ca.database import Database
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.tls_context import client_context
from harness.membership import CaClient, Reply
from harness.web import Web

KILLED = -signal.SIGKILL


@contextmanager
def started(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the URL it serves at."""
    command = [sys.executable, "-m", "gridloom", "ca", "start", "--home", str(home), "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("serving "), process.stderr.read()
            yield process, line.split(" at ")[1].strip()
        finally:
            process.kill()


def client(url: str, roots: Path | None = None) -> CaClient:
    context = None if roots is None else client_context(ClientTls(roots.read_bytes()))
    return CaClient(Web(int(url.rpartition(":")[2]), context))


async def test_a_new_ca_serves_over_tls_and_stops_when_told(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRIC_CA_SERVER_OPERATIONS_LISTENADDRESS", "127.0.0.1:0")
    with started(tmp_path, "-b", "admin:adminpw", "-n", "ca-org1", "--tls") as (process, url):
        ca = client(url, tmp_path / "ca-cert.pem")
        assert url.startswith("https://127.0.0.1:")
        assert (await ca.ask("GET", "/cainfo")).result["CAName"] == "ca-org1"
        admin = await ca.enroll("admin", "adminpw")
        await ca.newcomer(admin, "alice", secret="s3cret")
        assert (await ca.ask("POST", "/enroll", {}, basic="alice:wr0ng")).status == 401
        port = int(process.stdout.readline().rpartition(":")[2])
        assert (await Web(port)("GET", "/healthz")).status == 200
        process.send_signal(signal.SIGTERM)
        output = process.stdout.read() + process.stderr.read()
        assert process.wait(120) == 0
    assert "wrong secret for 'alice'" in output
    for secret in ("adminpw", "s3cret", "wr0ng", "PRIVATE", "Traceback"):
        assert secret not in output


def test_an_intermediate_ca_from_the_command_line(tmp_path):
    with started(tmp_path / "root", "-b", "admin:adminpw", "--tls") as (_, url):
        parent = url.replace("https://", "https://admin:adminpw@").replace("127.0.0.1", "localhost")
        roots = ["--parent-roots", str(tmp_path / "root" / "ca-cert.pem")]
        with started(tmp_path / "mid", "-b", "boss:pw", "-u", parent, *roots) as (_, child):
            admin = asyncio.run(client(child).enroll("boss", "pw"))
    assert (tmp_path / "mid" / "ca-chain.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert admin.certificate.not_after


@pytest.mark.parametrize("options", [[], ["-b", "admin"], ["-b", "a:b", "--address", "nowhere.x"]])
def test_what_cannot_start_says_why_and_ends_with_1(tmp_path, options):
    command = [sys.executable, "-m", "gridloom", "ca", "start", "--home", str(tmp_path)]
    ended = subprocess.run(
        [*command, *options], check=False, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 1
    assert "Error: " in ended.stderr
    assert "Traceback" not in ended.stderr


class Registrations:
    """Registers identities, several at a time, until the CA is gone."""

    def __init__(self, ca: CaClient) -> None:
        self.ca = ca
        self.asked: set[str] = set()
        self.done: dict[str, str] = {}

    async def until_gone(self, admin, process, first: int, acknowledged: int) -> None:
        async def register(worker: int) -> None:
            for number in range(1000):
                name = f"user-{first}-{worker}-{number}"
                self.asked.add(name)
                try:
                    reply: Reply = await self.ca.ask("POST", "/register", {"id": name}, by=admin)
                except (OSError, ValueError, HTTPException):  # no answer, or a torn one
                    return
                self.done[name] = reply.result["secret"]
                if len(self.done) >= acknowledged and process.poll() is None:
                    process.kill()

        await asyncio.gather(*(register(worker) for worker in range(4)))


@pytest.mark.slow
async def test_killed_amid_registrations_it_has_each_of_them_whole_or_not_at_all(tmp_path):
    create_config(tmp_path, "admin:adminpw", "ca-org1")
    admin, asked, done = None, set(), {}
    for round_ in range(2):
        with started(tmp_path) as (process, url):
            ca = client(url)
            admin = admin or await ca.enroll("admin", "adminpw")
            registrations = Registrations(ca)
            await registrations.until_gone(admin, process, round_, 7 + 4 * round_)
            assert process.wait(120) == KILLED
        asked |= registrations.asked
        done |= registrations.done
    with started(tmp_path) as (_, url):
        ca = client(url)
        listed = (await ca.ask("GET", "/identities", by=admin)).result["identities"]
        known = {each["id"]: each for each in listed}
        assert set(done) <= set(known), "what was acknowledged is there"
        assert set(known) - {"admin"} <= asked
        for name in known.keys() - {"admin"}:
            values = {each["name"]: each["value"] for each in known[name]["attrs"]}
            assert values["hf.EnrollmentID"] == name, "it is there with all its attributes"
        name, secret = next(reversed(done.items()))
        assert await ca.enroll(name, secret)


KILLED_INSIDE = """
    import os, signal, sys
    from pathlib import Path
    from gridloom.ca.database import Database
    from gridloom.ca.identity import Identity

    database = Database.sqlite(Path(sys.argv[1]))
    with database.write() as store:
        store.affiliations.add("org9")
        store.identities.add(Identity("alice", affiliation="org9", secret_hash="h"))
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("moment", "there"), [("before", False), ("after", True)])
def test_killed_before_or_after_the_commit(tmp_path, moment, there):
    path = tmp_path / "ca.db"
    script = [sys.executable, "-c", textwrap.dedent(KILLED_INSIDE), str(path), moment]
    assert subprocess.run(script, check=False, timeout=120).returncode == KILLED
    database = Database.sqlite(path)
    with database.read() as store:
        assert (store.identities.find("alice") is not None) is there
        assert ("org9" in store.affiliations) is there
    database.close()
