"""Ids, clock, randomness, errors, reports and state machines: the standard library alone."""
