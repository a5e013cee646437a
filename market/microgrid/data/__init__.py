"""The paper's numbers as they are printed: Tables 8 and 9 are the default day's data.

load.csv, generation.csv: Tables 8 and 9, kWh.  paper_table10.csv to paper_table14.csv: the
published results, printed errors kept (kWh, yuan per kWh).  Source: Zhao et al., 2019,
"Consortium Blockchain-Based Microgrid Market Transaction Research" (CC BY 4.0).
(Fabric counterpart: none.)
"""
