"""Ordering under proof of credit assessment: paper 001, eq. (10), as a consenter.

A consenter that has messages mines: it looks for a nonce whose hash meets the target that
its credit gives it.  Who finds one first asks the others to accept his block.  ``core`` is
the agreement, pure; ``candidates`` are what is agreed on, ``messages`` what consenters say
to each other, ``votes`` what must survive a crash, ``pool`` what waits to be ordered;
``chain`` runs it all, ``consenter`` makes chains.  What the channel's configuration and
every block carry is common/poca, which peers check too.
(Fabric counterpart: none; orderer/consensus is the seam.)
"""
