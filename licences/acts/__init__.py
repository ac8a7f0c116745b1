"""The acts of a licence's life, one matter a file."""
