"""Ordering by one node alone: the order of arrival (Fabric 2.5: orderer/consensus/solo)."""
