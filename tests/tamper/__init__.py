"""A data folder altered in every way somebody could think of, and what `dlr verify` says."""
