"""What one configuration may not change of the one before it.

(Fabric: Bundle.ValidateNew of common/channelconfig/bundle.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import UpdateRejected
from .organizations import OrdererOrgConfig, OrgConfig

if TYPE_CHECKING:
    from .bundle import ChannelBundle


def check_successor(current: ChannelBundle, successor: ChannelBundle) -> None:
    """Raise UpdateRejected when the successor may not follow.

    Sections may not disappear, no organization's group may change its MSP id, the
    consensus type may only change where migration is allowed, a channel does not become a
    system channel.
    """
    if current.has_orderer:
        if not successor.has_orderer:
            raise UpdateRejected("current config has orderer section, but new config does not")
        _check_orderer(current, successor)
    if current.has_application:
        if not successor.has_application:
            raise UpdateRejected("current config has application section, but new config does not")
        _check_msp_ids(
            "application",
            _by_group(current.application.orgs),
            _by_group(successor.application.orgs),
        )
    _check_consortiums(current, successor)


def _check_orderer(current: ChannelBundle, successor: ChannelBundle) -> None:
    before, after = current.orderer, successor.orderer
    migration = current.capabilities.channel.supports("V1_4_2")
    if not migration and before.consensus_type != after.consensus_type:
        raise UpdateRejected(
            f"attempted to change consensus type from {before.consensus_type} "
            f"to {after.consensus_type}"
        )
    if successor.capabilities.bft and not current.capabilities.bft:
        for org in after.orgs.values():
            if not org.endpoints:
                raise UpdateRejected(
                    "illegal orderer config update detected: "
                    f"endpoints of org {org.group_name} are missing"
                )
    _check_msp_ids("orderer", _by_group(before.orgs), _by_group(after.orgs))


def _check_consortiums(current: ChannelBundle, successor: ChannelBundle) -> None:
    if current.consortiums is None:
        if successor.consortiums is not None:
            raise UpdateRejected("current config has no consortiums section, but new config does")
        return
    if successor.consortiums is None:
        raise UpdateRejected("current config has consortiums section, but new config does not")
    for name, orgs in current.consortiums.items():
        _check_msp_ids(f"consortium {name}", orgs, successor.consortiums.get(name, {}))


def _by_group(orgs: Mapping[str, OrgConfig] | Mapping[str, OrdererOrgConfig]) -> dict[str, str]:
    return {org.group_name: org.msp_id for org in orgs.values()}


def _check_msp_ids(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    for group, msp_id in before.items():
        changed = after.get(group, msp_id)
        if changed != msp_id:
            raise UpdateRejected(
                f"{what} org {group} attempted to change MSP ID from {msp_id} to {changed}"
            )
