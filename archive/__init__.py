"""The e-archive: classification, ingest with checks, packages, retention, retrieval, reuse."""
