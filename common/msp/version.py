"""Which generation of MSP rules applies; the channel's capabilities decide.

(Fabric: MSPVersion of msp/factory.go, chosen in common/capabilities/channel.go)
"""

from __future__ import annotations

from enum import IntEnum


class MspVersion(IntEnum):
    """V1_3: client and peer OUs, admins by certificate only (channel V1_3, V1_4_2).

    V1_4_3: four OUs, admins by OU too (channel V1_4_3, V2_0).  V3_0: the same and
    Ed25519 keys (channel V3_0, and every node's own MSP).
    """

    V1_3 = 2
    V1_4_3 = 3
    V3_0 = 4
