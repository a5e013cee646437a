"""What discovery tells of a channel's configuration: its MSPs and where its orderers are.

(Fabric: discovery/support/config/support.go)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.wire import parse
from gridloom.protos.discovery import protocol_pb2 as pb
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig


def config_result(bundle: ChannelBundle) -> pb.ConfigResult:
    """The MSPs of all organisations, and each orderer organisation's endpoints.

    If no orderer organisation has endpoints of its own, each is said to have the channel's
    global addresses.
    """
    result = pb.ConfigResult()
    msps = {org.msp_id: org.msp_config for org in bundle.application.orgs.values()}
    for orderer_org in bundle.orderer.orgs.values():
        msps[orderer_org.msp_id] = orderer_org.msp_config
        result.orderers[orderer_org.msp_id].SetInParent()
    for msp_id, config in msps.items():
        result.msps[msp_id].CopyFrom(parse(FabricMSPConfig, config.config, "FabricMSPConfig"))
    for msp_id, address in bundle.orderer_endpoints:
        host, _, port = address.rpartition(":")
        if port.isdecimal():
            result.orderers[msp_id].endpoint.add(host=host.strip("[]"), port=int(port))
    return result
