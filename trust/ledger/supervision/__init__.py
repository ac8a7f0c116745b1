"""What supervisors do with the ledger, for any domain: replaying, exporting, being alerted."""
