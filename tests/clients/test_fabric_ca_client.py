"""The official npm client of CAs on our network: one item for each check of ``checks.mjs``."""

import pytest

from harness.node_client import NodeClient

CLIENT = NodeClient("fabric_ca_client")


def test_the_whole_interface_is_checked():
    assert len(CLIENT.checks) == 15
    source = (CLIENT.folder / "checks.mjs").read_text()
    calls = ("getCaInfo", "register", "enroll", "reenroll", "revoke", "generateCRL")
    services = ("newIdentityService", "newAffiliationService", "newCertificateService")
    assert all(f".{call}(" in source for call in (*calls, *services))


@pytest.mark.network
class TestOneProcess:
    """The CAs in the process of the nodes."""

    @pytest.fixture(scope="class")
    @classmethod
    def reports(cls, tmp_path_factory):
        return CLIENT.run(tmp_path_factory.mktemp("network") / "home", None)

    @pytest.mark.parametrize("check", CLIENT.checks)
    def test_the_official_client_passes(self, reports, check):
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None
