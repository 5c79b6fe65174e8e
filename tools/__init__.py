"""Programs run by hand, not installed: what they make lies in ``warehouse/reference``."""
