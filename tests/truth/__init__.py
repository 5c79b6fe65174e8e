"""Every count, rate and percentile from what really happened, in plain Python.

Read from the simulator's truth, its send log and the times at which pushes came in; defined by
`docs/measures.md`. Shares nothing with the product: no module of `ingest` or `pipelines`, no
DuckDB, and the CSVs of `warehouse/reference` read in its own way. Slow and plain on purpose.
"""
