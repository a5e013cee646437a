"""From a matched hour to its compensations and accounts: the rules applied to records.

Pure: HourMatch and meter readings in, the records of Tables 6 and 7 and the settlement
out.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from .compensations import (
    GridCompensation,
    HourBalance,
    HourErrors,
    PartyAccount,
    PathError,
    SellerError,
    Settlement,
)
from .roles import Role, unit_name
from .rules.allocation import Allocation
from .rules.amounts import apportion
from .rules.error_compensation import compensate
from .rules.grid_balance import GridShare, balance
from .rules.settlement import GRID, Transfer, settle
from .trades import HourMatch, Share


def grid_compensations(matched: HourMatch) -> list[GridCompensation]:
    """Supply-and-demand compensation: one record for each unit the grid deals with."""
    supplies = [share.ordered for share in matched.sellers]
    demands = [share.ordered for share in matched.buyers]
    inside = Allocation(
        tuple(share.traded for share in matched.sellers),
        tuple(share.traded for share in matched.buyers),
        (),
    )
    shares = balance(supplies, demands, inside, matched.grid)
    sides = (
        *((Role.SU, *pair) for pair in zip(matched.sellers, shares.exported, strict=True)),
        *((Role.BU, *pair) for pair in zip(matched.buyers, shares.imported, strict=True)),
    )
    return [
        _grid_compensation(matched, role, unit, share)
        for role, unit, share in sides
        if share.energy
    ]


def _grid_compensation(
    matched: HourMatch, role: Role, unit: Share, share: GridShare
) -> GridCompensation:
    sales = sum(seller.ordered for seller in matched.sellers)
    purchases = sum(buyer.ordered for buyer in matched.buyers)
    sells = role is Role.SU
    return GridCompensation(
        su_address=unit.address if sells else "",
        su_id=unit.unit_id if sells else None,
        bu_address="" if sells else unit.address,
        bu_id=None if sells else unit.unit_id,
        agreed_electricity_sales=sales,
        agreed_electricity_purchases=purchases,
        difference=sales - purchases,
        microgrid_compromise_price=matched.grid.compromise,
        grid_price=matched.grid.sell if sells else matched.grid.buy,
        electricity_price_in_microgrid=matched.price,
        energy=share.energy,
        amount=share.money,
    )


def seller_error(matched: HourMatch, share: Share, metered: int) -> SellerError:
    """Error compensation of one seller against his share and plan."""
    error = compensate(share.traded, share.ordered - share.traded, metered, matched.grid)
    return SellerError(
        su_id=share.unit_id,
        metered=metered,
        shortfall=error.shortfall,
        cost=error.cost,
        export_change=error.export_change,
        income=error.income,
    )


def path_errors(
    matched: HourMatch, seller: SellerError, records: Mapping[tuple[int, int], bytes]
) -> Iterator[PathError]:
    """Table 7 for a seller's paths: the shortfall shared in proportion to their volumes.

    records: the paths as they lie on the ledger, by seller and buyer id.
    """
    paths = [path for path in matched.paths if path.su_id == seller.su_id]
    lacking = apportion(seller.shortfall, [path.transaction_volume for path in paths])
    for path, short in zip(paths, lacking, strict=True):
        yield PathError(
            su_address=path.su_address,
            su_id=path.su_id,
            bu_address=path.bu_address,
            bu_id=path.bu_id,
            transaction_record=f"path,{matched.delivery_time},{path.su_id},{path.bu_id}",
            hash=hashlib.sha256(records[path.su_id, path.bu_id]).hexdigest(),
            agreed_transaction_volume=path.transaction_volume,
            actual_transaction_volume=path.transaction_volume - short,
            difference=-short,
            grid_price=matched.grid.buy,
            electricity_price_in_microgrid=path.transaction_price,
        )


def settle_hour(matched: HourMatch, balanced: HourBalance, errors: HourErrors) -> Settlement:
    """All transfers of the hour added up; they sum to zero and agree with the meters."""
    transfers = [
        Transfer(
            unit_name(Role.SU, path.su_id),
            unit_name(Role.BU, path.bu_id),
            path.transaction_volume,
            path.amount,
        )
        for path in matched.paths
    ]
    for record in balanced.compensations:
        ends = (record.party, GRID) if record.su_id is not None else (GRID, record.party)
        transfers.append(Transfer(*ends, record.energy, record.amount))
    positions = {unit_name(Role.BU, buyer.unit_id): -buyer.ordered for buyer in matched.buyers}
    for error in errors.sellers:
        seller = unit_name(Role.SU, error.su_id)
        transfers.append(Transfer(GRID, seller, error.shortfall, error.cost))
        transfers.append(Transfer(seller, GRID, error.export_change, error.income))
        positions[seller] = error.metered
    accounts = [PartyAccount(*account) for account in settle(transfers, positions)]
    return Settlement(matched.delivery_time, matched.price, accounts)
