"""The edge: HTTP, pages, worker, command line, settings, wiring, migrations."""
