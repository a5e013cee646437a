"""The energy markets' chaincodes, and the rules they enforce.

authentication, energy_units, matchmaking, compensation and dispatch are the microgrid's
(paper 003), auction is the one of all double auctions and pools.  Each is deployed as a
chaincode of its own on one channel; each package carries this whole folder.  rules/ is pure and in
integers: energy in Wh, money in micro-yuan, prices in micro-yuan per kWh.  Nothing here
reads a clock, a random number or a float, so that all endorsers agree.
(Fabric counterpart: fabric-samples' chaincode folders.)
"""
