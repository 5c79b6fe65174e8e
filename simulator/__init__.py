"""A simulation of the provider, for the demo, the tests and the benchmarks."""
