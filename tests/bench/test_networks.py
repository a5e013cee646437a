"""Targets: networks that run, profiles, and those that cannot take load."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridloom.bench.errors import NetworkUnusable, WorkloadError
from gridloom.bench.existing_network import NetworkOptions, existing_target
from gridloom.bench.growth import GROWTHS, benchmarks
from gridloom.bench.own_network import OwnNetwork
from gridloom.bench.session import check
from gridloom.bench.target import Target
from gridloom.bench.workload import NETWORKS, built_in, find_workload
from gridloom.client.connection_profile import ProfileError
from gridloom.common.msp_directory import MspDirectoryError
from gridloom.deploy.home import HomeError, NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.network_state import describe
from gridloom.deploy.topology import Topology

PROFILE = "organizations/peerOrganizations/org1.example.com/connection-org1.json"
YEARS_AGO = timedelta(days=20 * 365)


def network_in(folder: Path, age: timedelta = timedelta(0)) -> Network:
    """A network whose credentials lie in a folder, made some time ago."""
    home = NetworkHome(folder)
    home.save_description("")
    made = Network.create(
        Topology.default().with_ports(lambda _: 0), home, now=lambda: datetime.now(UTC) - age
    )
    state = describe(home, made.topology, made.builder.material, process_id=None, mode="single")
    home.save_state(state)
    return made


async def test_a_profile_is_enough_to_reach_a_network(tmp_path: Path) -> None:
    async with network_in(tmp_path) as network:
        await network.serve()
        target = existing_target(tmp_path / PROFILE, NetworkOptions())
        assert target.channel == "mychannel"
        assert [user.name for user in target.users] == ["User1"]
        assert target.process_ids.keys() == {"peer0.org1.example.com"}
        assert Target.read(target.document()) == target
        await check(target)
        with pytest.raises(NetworkUnusable, match="nosuchchannel"):
            await check(existing_target(tmp_path / PROFILE, NetworkOptions("nosuchchannel")))


async def test_an_unreachable_network_is_named_with_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridloom.bench.session.CHECK_TIMEOUT", 0.5)
    network_in(tmp_path)
    target = existing_target(tmp_path / PROFILE, NetworkOptions())
    with pytest.raises(NetworkUnusable, match="does not answer") as raised:
        await check(target)
    assert raised.value.target == target.peers["Org1MSP"][0].target


async def test_an_expired_certificate_is_said_to_be(tmp_path: Path) -> None:
    network_in(tmp_path, YEARS_AGO)
    with pytest.raises(MspDirectoryError, match="signing identity expired at"):
        await check(existing_target(tmp_path / PROFILE, NetworkOptions()))


def test_places_that_are_no_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="there is no network here"):
        existing_target(tmp_path, NetworkOptions())
    network_in(tmp_path / "network")
    with pytest.raises(NetworkUnusable, match="not running"):
        existing_target(tmp_path / "network", NetworkOptions())
    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(ProfileError):
        existing_target(tmp_path / "profile.json", NetworkOptions())
    with pytest.raises(FileNotFoundError):
        existing_target(tmp_path / "nothing.json", NetworkOptions())
    profile = (tmp_path / "network" / PROFILE).read_bytes()
    (tmp_path / "alone.json").write_bytes(profile)
    with pytest.raises(NetworkUnusable, match="--msp"):
        existing_target(tmp_path / "alone.json", NetworkOptions())


def test_every_built_in_workload_is_whole() -> None:
    kinds = built_in()
    assert kinds.keys() >= {
        "evaluate",
        "endorse",
        "submit",
        "order",
        "mixed",
        "contention",
        "range",
        "rich-query",
        "private-data",
        "payload",
        "market-hour",
    }
    for name, kind in kinds.items():
        Topology.parse((NETWORKS / f"{kind.network}.yaml").read_text())
        assert kind.__doc__, name
        assert all(need.source.exists() for need in kind.chaincodes)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nonsense", None, "there is: contention, "),
        ("missing.py", None, "no such file"),
        ("empty.py", "", "0 classes"),
        ("bad.py", "syntax error", "cannot be loaded"),
        ("raises.py", "raise SystemError('no')", "cannot be loaded: SystemError"),
    ],
)
def test_what_is_no_workload_is_refused(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if name.endswith(".py"):
        name = str(tmp_path / name)
    if content is not None:
        Path(name).write_text(content)
    with pytest.raises(WorkloadError, match=words):
        find_workload(name)


@pytest.mark.parametrize("name", sorted(GROWTHS))
def test_every_growth_describes_networks_that_exist(name: str) -> None:
    parts = benchmarks(name, 1.0)
    assert parts
    for network, benchmark in parts:
        assert isinstance(network, OwnNetwork)
        Topology.parse(network.description)
        assert any(" @ " in each.name for each in benchmark.rounds)
        for each in benchmark.rounds:
            find_workload(each.workload)
