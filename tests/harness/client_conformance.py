"""What an official client must find on a network of ours, whichever client it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from .network import PROBE
from .node_client import NodeClient


class ClientConformance:
    """One item for each check of the client's script.

    client: which one; options: of ``gridloom up``.
    """

    client: ClassVar[NodeClient]
    options: ClassVar[tuple[str, ...]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make the items."""
        metafunc.parametrize("check", self.client.checks)

    @pytest.fixture(scope="class")
    @classmethod
    def reports(
        cls, tmp_path_factory: pytest.TempPathFactory
    ) -> Mapping[str, Mapping[str, object]]:
        """What each check reported."""
        return cls.client.run(tmp_path_factory.mktemp("network") / "home", PROBE, *cls.options)

    def test_the_client_passes(
        self, reports: Mapping[str, Mapping[str, object]], check: str
    ) -> None:
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None
