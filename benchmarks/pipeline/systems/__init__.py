"""What is measured: one module a system, each run as a process of its own.

``python -m benchmarks.pipeline.systems.<name> LANDED WORK`` reads the landed files of the data
folder ``LANDED``, writes below ``WORK``, and prints one ``Outcome`` as JSON. Its clock starts after
imports.
"""
