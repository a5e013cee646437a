"""Chaincodes by their path: their names, and deploying what is not there yet."""

import pytest

from gridloom.common.chaincode_package import InvalidPackage
from gridloom.deploy.chaincode_source import ChaincodeSource, deploy_missing
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import SourceError, package_id_of, package_source
from harness.network import PROBE, SHELF


def test_a_source_is_named_after_its_path_unless_told_otherwise(tmp_path):
    probe = ChaincodeSource.read(PROBE)
    assert (probe.name, probe.version, probe.origin) == ("probe", "1.0", PROBE)
    assert probe.package == package_source(PROBE, label="probe_1.0")
    other = ChaincodeSource.read(PROBE, name="sonde", version="2")
    assert package_id_of(other.package).startswith("sonde_2:")
    home = NetworkHome(tmp_path)
    probe.remember(home)
    assert home.origin(package_id_of(probe.package)) == PROBE


@pytest.mark.parametrize(
    ("label", "name"), [("probe_1.0", "probe"), ("probe", "probe"), ("my_probe_2", "my_probe")]
)
def test_a_package_is_named_after_its_label(tmp_path, label, name):
    file = tmp_path / "any.tar.gz"
    file.write_bytes(package_source(PROBE, label=label))
    packaged = ChaincodeSource.read(file)
    assert (packaged.name, packaged.origin) == (name, None)
    assert packaged.package == file.read_bytes()
    packaged.remember(NetworkHome(tmp_path))
    assert NetworkHome(tmp_path).origin(package_id_of(packaged.package)) is None


def test_what_is_no_chaincode_is_refused_with_its_path(tmp_path):
    (tmp_path / "torn.tar.gz").write_bytes(b"\x1f\x8b nothing")
    with pytest.raises(InvalidPackage):
        ChaincodeSource.read(tmp_path / "torn.tar.gz")
    (tmp_path / "notes.txt").write_text("no module")
    with pytest.raises(SourceError, match=r"notes\.txt"):
        ChaincodeSource.read(tmp_path / "notes.txt")


async def test_only_what_is_not_there_is_deployed():
    probe, shelf = ChaincodeSource.read(PROBE), ChaincodeSource.read(SHELF)
    steps: list[str] = []
    async with Network.in_memory() as network:
        access = network.access
        await deploy_missing(access, [probe], steps.append)
        assert "commit probe" in steps
        steps.clear()
        await deploy_missing(access, [probe, shelf], steps.append)
        assert "commit shelf" in steps
        assert "commit probe" not in steps
        channel = access.topology.channels[0]
        assert await access.next_sequence(channel, "probe") == 2
        assert await access.next_sequence(channel, "shelf") == 2
