"""Power flow with and without a balance node, and the security limits: paper 000.

feeder (nodes, lines, what they are given), equations (mismatches and Jacobian), newton
(the damped iteration), solution (droop nodes at their limits become PQ; the operating
point), security (frequency, voltages, lines).  Here a solution is found, in floats; the
ledger does not trust it but checks it exactly, chaincode/energy/baas/operating_point.
(Fabric counterpart: none.)
"""
