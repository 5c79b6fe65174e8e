"""The door: HTTP in, durable files out. It parses nothing beyond finding the parameter."""
