"""Which cleartext behind a snapshot's hashes a peer will look for, and when it goes."""

import pytest

from gridloom.peer.chaincodes.lifecycle.collections import implicit_config, member_organizations
from gridloom.peer.ledger.snapshots.private_part import base_hashes, private_part
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.store import BaseHash, CollectionsRow, KeyExpiry, MissingRow
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    StaticCollectionConfig,
)

KEY, OTHER_KEY, VALUE = b"k" * 32, b"o" * 32, b"v" * 32


def rules(*organizations, lives=0, name="c"):
    """A collection of these organisations."""
    config = StaticCollectionConfig(name=name, block_to_live=lives)
    policy = config.member_orgs_policy.signature_policy
    for organization in organizations:
        policy.identities.extend(
            implicit_config(organization).member_orgs_policy.signature_policy.identities
        )
    return CollectionConfig(static_collection_config=config)


def defined(block, *configs):
    return CollectionsRow("cc", block, CollectionConfigPackage(config=configs).SerializeToString())


def is_org1(config):
    return "Org1MSP" in member_organizations(config)


def entry(block, tx=0, key=KEY, namespace="cc$$hc"):
    return namespace, key, VersionedValue(VALUE, Version(block, tx))


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ([defined(3, rules("Org1MSP"))], True),
        ([defined(3, rules("Org2MSP"))], False),
        ([defined(3, rules("Org2MSP")), defined(9, rules("Org1MSP", "Org2MSP"))], True),
        ([defined(3, rules("Org1MSP")), defined(9, rules("Org2MSP"))], True),
        ([defined(1, rules("Org1MSP")), defined(3, rules("Org2MSP"))], False),
        ([defined(3, rules("Org2MSP")), defined(5, rules("Org1MSP"))], True),
        ([defined(3, rules("Org1MSP", name="another"))], False),
        ([], False),
    ],
)
def test_data_are_wanted_by_the_rules_then_or_any_since(history, wanted):
    part = private_part(history, [entry(5)], is_org1)
    assert part.missing == [MissingRow(5, 0, "cc", "c", wanted)]


def test_the_own_collection_needs_no_definition():
    hashes = [
        entry(5, 0, namespace="cc$$h_implicit_org_Org1MSP"),
        entry(6, 1, namespace="cc$$h_implicit_org_Org2MSP"),
    ]
    assert private_part([], hashes, is_org1).missing == [
        MissingRow(5, 0, "cc", "_implicit_org_Org1MSP", True),
        MissingRow(6, 1, "cc", "_implicit_org_Org2MSP", False),
    ]


def test_what_one_transaction_wrote_is_missing_once():
    hashes = [entry(5, key=KEY), entry(5, key=OTHER_KEY), entry(5, 1)]
    missing = private_part([defined(3, rules("Org1MSP"))], hashes, is_org1).missing
    assert [row[:2] for row in missing] == [(5, 0), (5, 1)]


def test_the_newest_rules_say_when_hashes_and_cleartext_go():
    history = [defined(3, rules("Org1MSP", lives=7)), defined(4, rules("Org1MSP", lives=2))]
    part = private_part(reversed(history), [entry(5), entry(8, key=OTHER_KEY)], is_org1)
    assert part.key_expiries == [
        KeyExpiry(8, "cc", "c", KEY, 5),
        KeyExpiry(11, "cc", "c", OTHER_KEY, 8),
    ]
    assert [row.expires_at for row in part.missing] == [8, 11]
    assert part.collections == history


def test_only_what_can_be_a_hash_is_kept_to_judge_by():
    hashes = [entry(5), entry(6, key=b"short"), entry(7, key=b"x" * 5000)]
    assert list(base_hashes(hashes)) == [BaseHash(5, 0, "cc", "c", KEY, VALUE)]
