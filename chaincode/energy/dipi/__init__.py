"""Paper 001's market on three channels: scheduling DU1, trading JY1, credit LH1.

One chaincode for each: scheduling, trading, credit_index; what they tell each other is
records and digest.  Rules, pure and exact: settlement with trade_settlement (Table 2),
credit (eqs. 1, 2, 12), matching with matching_score (Table 1), sequence_number and coin
(coloured coins).  Each channel has chaincode authentication as well.
(Fabric counterpart: none.)
"""
