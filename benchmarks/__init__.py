"""Measurements that a claim of the project rests on; one package a benchmark."""
