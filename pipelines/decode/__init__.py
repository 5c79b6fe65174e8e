"""Landed lines to records or rejects: the fast path in SQL, the slow path in Python."""
