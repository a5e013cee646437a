"""The workloads that come with the package, one for each kind of load.

`gridloom bench list` shows them with their arguments.  (Fabric: caliper-benchmarks)
"""
