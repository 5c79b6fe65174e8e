"""The provider, played by us: used by the demo, the tests and the benchmarks."""
