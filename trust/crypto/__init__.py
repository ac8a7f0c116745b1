"""Algorithm suites and policy, digests, DER and CMS.

`suites` signs and verifies octets, `digests` hashes them, `policy` says which algorithm is trusted when. `cms`
writes SignedData from precomputed DER, `parsed_cms` reads a stranger's, `cms_checks` turns it into checks.
`der` and `der_reader` are the encoding underneath.
"""
