"""The send log: its files, their readers, the tables they become."""
