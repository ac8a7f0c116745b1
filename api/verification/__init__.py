"""Strangers' files: counted as they come, parsed in processes of their own, answered by a report."""
