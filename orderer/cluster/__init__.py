"""How the orderers of one channel reach each other, whatever they agree by.

``transport`` sends, ``service`` receives, both over streams of ``orderer.Cluster/Step`` whose
ends know each other by TLS certificates that the channel's configuration names
(``members``).  ``block_puller`` fetches blocks from whoever has them
(Fabric: orderer/common/cluster).
"""
