"""The offline verifier: trust anchors and octets in, a report out. No network, no database, no keys."""
