"""Supervision (电子监察): who may search, replay, export and acknowledge, and what the domains' words mean to it."""
