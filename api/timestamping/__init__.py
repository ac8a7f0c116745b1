"""The timestamp authority's edge: requests gathered into batches, who may ask, and what the ledger is told."""
