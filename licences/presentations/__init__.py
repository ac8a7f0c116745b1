"""Presentations (亮证): leave to see chosen fields once, its code, its redemption, and the holder's usage log."""
