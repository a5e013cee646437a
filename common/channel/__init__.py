"""The channel configuration: its tree, its bundle, its updates, its first block.

(Fabric: common/channelconfig, common/configtx, common/genesis, internal/configtxgen/encoder,
internal/configtxlator/update.)
"""
