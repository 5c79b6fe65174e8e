"""The `dlr` command: one module a subcommand, imported only when it is called."""
