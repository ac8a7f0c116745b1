"""Certificates of parties: asked for by a CSR for a key of their own, listed, revoked."""
