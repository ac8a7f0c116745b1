"""Proof bundles for whoever may read the thing itself (docs/proof-bundle.md)."""
