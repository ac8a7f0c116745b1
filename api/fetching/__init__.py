"""Fetching what certificates name (lists, answers, authorities), for an operator who asks for it by name of host.

Nothing here is reached from the public page or the API: verification of strangers' files never fetches.
"""
