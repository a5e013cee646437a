"""``_lifecycle`` functions about packages: install, list and fetch.

(Fabric: core/chaincode/lifecycle/scc.go, lifecycle.go InstallChaincode)
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.common.chaincode_package import InvalidPackage, parse_package, unpack_code
from gridloom.protos.peer.lifecycle import lifecycle_pb2 as pb

from ..errors import PackageNotFound
from .functions import LifecycleRefusal
from .step import LifecycleFunction, Step

_References = dict[str, dict[str, str]]


def _install(step: Step, request: pb.InstallChaincodeArgs) -> pb.InstallChaincodeResult:
    data = request.chaincode_install_package
    try:
        package = parse_package(data)
        unpack_code(package.code)
    except InvalidPackage as error:
        raise LifecycleRefusal(
            f"could not parse as a chaincode install package: {error}"
        ) from error
    package_id = step.approved.packages.install(package.label, data)
    return pb.InstallChaincodeResult(package_id=package_id, label=package.label)


def _get_package(
    step: Step, request: pb.GetInstalledChaincodePackageArgs
) -> pb.GetInstalledChaincodePackageResult:
    try:
        data = step.approved.packages.load(request.package_id)
    except PackageNotFound as error:
        raise LifecycleRefusal(f"could not load cc install package: {error}") from error
    return pb.GetInstalledChaincodePackageResult(chaincode_install_package=data)


def _query_installed(
    step: Step, request: pb.QueryInstalledChaincodeArgs
) -> pb.QueryInstalledChaincodeResult:
    package = step.approved.packages.get(request.package_id)
    if package is None:
        raise LifecycleRefusal(f"could not find chaincode with package id '{request.package_id}'")
    result = pb.QueryInstalledChaincodeResult(package_id=package.id, label=package.label)
    for channel_id, chaincodes in _references(step).get(package.id, {}).items():
        listed = result.references[channel_id].chaincodes
        for name, version in chaincodes.items():
            listed.add(name=name, version=version)
    return result


def _query_all_installed(
    step: Step, request: pb.QueryInstalledChaincodesArgs
) -> pb.QueryInstalledChaincodesResult:
    references = _references(step)
    result = pb.QueryInstalledChaincodesResult()
    for package in step.approved.packages.all():
        entry = result.installed_chaincodes.add(package_id=package.id, label=package.label)
        for channel_id, chaincodes in references.get(package.id, {}).items():
            listed = entry.references[channel_id].chaincodes
            for name, version in chaincodes.items():
                listed.add(name=name, version=version)
    return result


def _references(step: Step) -> dict[str, _References]:
    """Return by package id and channel which chaincodes run from it, with their versions."""
    found: dict[str, _References] = {}
    for channel_id in step.peer.channel_ids():
        channel = step.peer.channel(channel_id)
        if channel is None:
            continue
        chaincodes = step.approved.of_channel(channel, step.peer.msp_id)
        for name, chaincode in chaincodes.items():
            if chaincode.package is not None:
                of_package = found.setdefault(chaincode.package.id, {})
                of_package.setdefault(channel_id, {})[name] = chaincode.definition.version
    return found


PACKAGE_FUNCTIONS: Mapping[str, LifecycleFunction] = {
    "InstallChaincode": LifecycleFunction(pb.InstallChaincodeArgs, _install),
    "QueryInstalledChaincode": LifecycleFunction(pb.QueryInstalledChaincodeArgs, _query_installed),
    "QueryInstalledChaincodes": LifecycleFunction(
        pb.QueryInstalledChaincodesArgs, _query_all_installed
    ),
    "GetInstalledChaincodePackage": LifecycleFunction(
        pb.GetInstalledChaincodePackageArgs, _get_package
    ),
}
