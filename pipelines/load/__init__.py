"""One batch of files, one transaction: retract, apply, ledger, what a rebuild moved, marts."""
