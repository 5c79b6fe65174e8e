"""The named questions, held against what really happened."""
