"""Channels that this node keeps the blocks of without ordering them.

``chain`` pulls what the channel's consenters order, and gives way to a consenter's chain when a
configuration makes this node one; ``onboarding`` fetches the blocks up to the one that the
channel was joined with (Fabric: orderer/common/follower).
"""
