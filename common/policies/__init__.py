"""Policies: who must have signed.  Pure: no clock, no randomness, no input or output.

(Fabric: common/policies, common/cauthdsl, common/policydsl.)
"""
