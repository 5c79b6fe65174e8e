"""What people read the results with, each in its own way."""
