"""Landed files: inventory, closed days, chunks, compaction, the registry of what was taken."""
