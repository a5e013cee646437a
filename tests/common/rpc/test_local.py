"""The channel within one process."""

import pytest

from gridloom.common.rpc import Channel
from gridloom.common.rpc.local import LocalChannel
from harness.transport_conformance import ScriptedGateway, TransportConformance, scripted_registry


class TestLocalChannel(TransportConformance):
    @pytest.fixture
    def parts(self) -> tuple[Channel, ScriptedGateway]:
        registry, gateway = scripted_registry()
        return LocalChannel(registry), gateway

    @pytest.fixture
    def channel(self, parts: tuple[Channel, ScriptedGateway]) -> Channel:
        return parts[0]

    @pytest.fixture
    def gateway(self, parts: tuple[Channel, ScriptedGateway]) -> ScriptedGateway:
        return parts[1]
