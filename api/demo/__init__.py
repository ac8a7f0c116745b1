"""The demonstration: the whole flow over HTTP, played by several parties, then verified by a stranger."""
