"""The pipeline beside its floor and its peers, and how its cost grows with history."""
