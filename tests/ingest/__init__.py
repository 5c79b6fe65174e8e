"""The receiver: what it promises, then how it keeps it."""
