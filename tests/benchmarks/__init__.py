"""Measurements, run by hand and never asserted in the tests; `run` says how."""
