"""The receiver: HTTP in, durable files out. It parses nothing, it only finds the parameter."""
