"""The energy markets' chaincodes, and the rules they enforce.

authentication, energy_units, matchmaking, compensation and dispatch are the microgrid's
(paper 003), auction is the one of all double auctions and pools.  automatic_auction is paper
002's, with its rules and records in learning/; energy_requests and power_purchase are paper
004's, with theirs in distribution/; baas is paper 000's and dipi/ has the three chains of
paper 001.  Each is deployed as a chaincode of its own on one channel; each package carries
this whole folder.  rules/ is pure and in integers: energy in Wh, money in micro-yuan,
prices in micro-yuan per kWh.  Nothing here reads a clock, a random number or a float, so
that all endorsers agree.
(Fabric counterpart: fabric-samples' chaincode folders.)
"""
