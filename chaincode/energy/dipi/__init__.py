"""Paper 001's market on three channels: scheduling DU1, trading JY1, credit LH1.

Rules, pure and exact: settlement (Table 2), credit (eqs. 1, 2, 12), matching_score
(Table 1), sequence_number (coloured coins).  (Fabric counterpart: none.)
"""
