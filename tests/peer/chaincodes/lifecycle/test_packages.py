"""Installing packages: stores on disk and in memory, and the functions of _lifecycle."""

import pytest

from gridloom.common.chaincode_package import build_package
from gridloom.peer.chaincodes.errors import PackageNotFound
from gridloom.peer.chaincodes.lifecycle.store import (
    FilePackageStore,
    MemoryPackageStore,
    PackageReference,
)
from gridloom.protos.peer.lifecycle import lifecycle_pb2 as pb
from harness.chaincode_peer import HostBench, completed, invocation
from harness.shared import shared

PACKAGE = build_package("basic_1.0", "python", "asset", {"src/a.py": b"1", "src/p/b.py": b"2"})


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    return FilePackageStore(tmp_path / "cc") if request.param == "file" else MemoryPackageStore()


def test_a_package_is_kept_under_its_id(store):
    package_id = store.save("basic_1.0", PACKAGE)
    assert store.load(package_id) == PACKAGE
    assert store.list() == [PackageReference(package_id, "basic_1.0")]
    assert store.save("basic_1.0", PACKAGE) == package_id
    store.delete(package_id)
    store.delete(package_id)
    assert store.list() == []


def test_a_package_is_opened_with_its_code_unpacked(store):
    package = store.open(store.save("basic_1.0", PACKAGE))
    assert (package.label, package.type, package.path) == ("basic_1.0", "python", "asset")
    assert (package.dir / "src" / "p" / "b.py").read_bytes() == b"2"
    assert store.open(package.id).dir == package.dir


@pytest.mark.parametrize("package_id", ["", "x", "basic:00", "../x:" + "0" * 64, "b:" + "0" * 64])
def test_what_is_not_installed_is_named(store, package_id):
    with pytest.raises(PackageNotFound) as caught:
        store.load(package_id)
    assert str(caught.value) == f"chaincode install package '{package_id}' not found"


def test_files_are_named_as_fabric_names_them(tmp_path):
    store = FilePackageStore(tmp_path)
    package = shared("golden", "lifecycle", "basic.tar.gz").read_bytes()
    package_id = store.save("basic_1.0", package)
    name = f"{package_id.replace(':', '.')}.tar.gz"
    assert (tmp_path / name).read_bytes() == package
    (tmp_path / "notes.txt").write_text("not a package")
    assert FilePackageStore(tmp_path).list() == [PackageReference(package_id, "basic_1.0")]


class Administrator:
    def __init__(self):
        self.bench = HostBench.create()

    async def call(self, function, request):
        argument = request if isinstance(request, bytes) else request.SerializeToString()
        call = invocation("_lifecycle", function.encode(), argument, channel_id="")
        response, event = await self.bench.host.invoke(call)
        assert event is None
        return response


@pytest.fixture
def admin():
    return Administrator()


async def test_install_answers_id_and_label_once(admin):
    package = shared("golden", "lifecycle", "nodecc_cli.tar.gz").read_bytes()
    request = pb.InstallChaincodeArgs(chaincode_install_package=package)
    response = await admin.call("InstallChaincode", request)
    result = pb.InstallChaincodeResult.FromString(response.payload)
    expected = shared("golden", "lifecycle", "nodecc_cli.package_id.txt").read_text().strip()
    assert (result.package_id, result.label) == (expected, "nodecc_1")
    again = await admin.call("InstallChaincode", request)
    assert again.status == 500
    assert again.message == (
        "failed to invoke backing implementation of 'InstallChaincode': "
        f"chaincode already successfully installed (package ID '{expected}')"
    )


@pytest.mark.parametrize("package", [b"", b"garbage", PACKAGE[:-20]])
async def test_what_is_no_package_is_refused(admin, package):
    request = pb.InstallChaincodeArgs(chaincode_install_package=package)
    response = await admin.call("InstallChaincode", request)
    assert response.status == 500
    assert "could not parse as a chaincode install package" in response.message


async def test_an_installed_package_is_handed_out(admin):
    package_id = admin.bench.install("basic")
    request = pb.GetInstalledChaincodePackageArgs(package_id=package_id)
    response = await admin.call("GetInstalledChaincodePackage", request)
    result = pb.GetInstalledChaincodePackageResult.FromString(response.payload)
    assert result.chaincode_install_package == admin.bench.host.store.load(package_id)
    request.package_id = "x:1"
    response = await admin.call("GetInstalledChaincodePackage", request)
    assert response.message.endswith("chaincode install package 'x:1' not found")


async def test_packages_are_listed_with_the_chaincodes_that_run_from_them(admin):
    bench = admin.bench
    bench.peer.add_channel("other")
    used = bench.deploy("basic", lambda message, _: completed(message))
    bench.define("copy", used, channel_id="other", version="2.0")
    idle = bench.install("idle")
    response = await admin.call("QueryInstalledChaincodes", pb.QueryInstalledChaincodesArgs())
    result = pb.QueryInstalledChaincodesResult.FromString(response.payload)
    found = {c.package_id: c for c in result.installed_chaincodes}
    assert found.keys() == {used, idle}
    assert found[idle].label == "idle"
    assert not found[idle].references
    references = {
        channel: [(c.name, c.version) for c in listed.chaincodes]
        for channel, listed in found[used].references.items()
    }
    assert references == {"test": [("basic", "1.0")], "other": [("copy", "2.0")]}
    request = pb.QueryInstalledChaincodeArgs(package_id=used)
    one = pb.QueryInstalledChaincodeResult.FromString(
        (await admin.call("QueryInstalledChaincode", request)).payload
    )
    assert (one.package_id, one.label, set(one.references)) == (used, "basic", {"test", "other"})


async def test_an_unknown_package_is_named(admin):
    request = pb.QueryInstalledChaincodeArgs(package_id="x:1")
    response = await admin.call("QueryInstalledChaincode", request)
    assert response.message.endswith("could not find chaincode with package id 'x:1'")


async def test_only_those_admitted_may_call(admin):
    admin.bench.peer.acl.denied.add("_lifecycle/InstallChaincode")
    response = await admin.call("InstallChaincode", pb.InstallChaincodeArgs())
    assert (response.status, response.message) == (
        500,
        "Failed to authorize invocation due to failed ACL check: not you",
    )


async def test_functions_nobody_has_and_arguments_that_do_not_parse_are_refused(admin):
    response = await admin.call("NoSuchFunction", b"")
    assert response.message == (
        "failed to invoke backing implementation of 'NoSuchFunction': "
        "receiver *lifecycle.Invocation.NoSuchFunction does not exist"
    )
    response = await admin.call("InstallChaincode", b"\xff")
    assert (
        "could not decode input arg for *lifecycle.Invocation.InstallChaincode" in response.message
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "lifecycle scc must be invoked with arguments"),
        (
            (b"a", b"b", b"c"),
            "lifecycle scc operations require exactly two arguments but received 3",
        ),
    ],
)
async def test_the_number_of_arguments_is_two(admin, args, message):
    response, _ = await admin.bench.host.invoke(invocation("_lifecycle", *args, channel_id=""))
    assert (response.status, response.message) == (500, message)


async def test_a_channel_nobody_joined_is_named(admin):
    call = invocation("_lifecycle", b"QueryChaincodeDefinitions", b"", channel_id="nosuch")
    response, _ = await admin.bench.host.invoke(call)
    assert response.message == "could not get channelconfig for channel 'nosuch'"
