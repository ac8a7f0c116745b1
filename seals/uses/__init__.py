"""Seal uses: rows of facts, the sealing procedure, and the worker's resolution of what a crash left."""
