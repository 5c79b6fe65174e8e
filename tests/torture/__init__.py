"""Kills and power cuts under load, few in the suite, many by `python -m tests.torture`."""
