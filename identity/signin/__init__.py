"""Signing in: passwords, sessions, enrolment links, access tokens, and the limits on attempts."""
