"""The receiver beside its limits and its peers: one machine, one run, the same pushes."""
