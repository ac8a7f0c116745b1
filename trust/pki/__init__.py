"""Certificates: written, read, and judged.

Writing: `profiles` (what kinds there are), `names`, `extensions`, `tbs`, `crl`, and `lint` before any key is used;
`csr` reads what parties send. Judging: `certificate` and `revocation` read, `purposes` says what a use asks,
`path` builds and validates, `trust_store` holds what is believed and known.
"""
