"""Reuse of archived materials by other cases, also of other agencies (材料复用)."""
