"""The acts of a seal's life, one matter a file."""
