"""Retrieval of archived materials under an approved request (调阅)."""
