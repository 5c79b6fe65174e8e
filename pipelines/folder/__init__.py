"""The data folder: its lock, its format, durable files, and how a publication is shown in it."""
