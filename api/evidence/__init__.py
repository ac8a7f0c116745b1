"""Evidence records at the edge: what preservation is joined with, and the command."""
