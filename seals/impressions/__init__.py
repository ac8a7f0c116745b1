"""Impressions (印模): the pictures of seals, read from PNG or SVG, or drawn."""
