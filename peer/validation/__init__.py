"""Validation of blocks by a committing peer, in two stages.

Stage A judges each transaction by itself against the state before the block: form,
signatures, transaction id, endorsement policies (``block_validator``).  Stage B goes through
the block in order and finds conflicting reads (``mvcc``).  Each leaves a TxValidationCode.
(Fabric: core/committer/txvalidator/v20 and core/ledger/kvledger/txmgmt/validation)
"""
