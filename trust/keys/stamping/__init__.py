"""The time that timestamps bear: guarded against a clock that steps, within the signer and across its restarts."""
