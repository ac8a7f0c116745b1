"""Certificate, revocation and timestamp authorities at work."""
