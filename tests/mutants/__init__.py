"""Lines made wrong on purpose, one at a time, and the tests that notice."""
