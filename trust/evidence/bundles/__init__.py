"""Proof bundles: one zip that proves one thing without the house (docs/proof-bundle.md)."""
