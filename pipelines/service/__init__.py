"""The service: what keeps the parts running, sees what is wrong, and says so."""
