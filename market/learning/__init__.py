"""Paper 002: three parties set four prices, and quotes are matched with them automatically.

G is the microgrid company, C the energy bureau, U the users.  Reading order: objectives
(what the four prices are worth to whom), vertex (prices that maximise a weighted sum, and the
prices sellers ask of given quantities), elastic (the game in which an equilibrium exists),
nearest (the quote nearest to a target); then a day: profiles (what is known when), targets (the
prices a colony finds), day (three stages of every hour), ledger_day (the same on a network),
report; paper (what is printed beside what the equations give) and nearest_quote (the auction as
a mechanism of any community).  The colony that searches is in ants/; what the ledger enforces
is in chaincode/energy/learning.  (Fabric counterpart: none.)
"""
