"""Units of work over PostgreSQL, object stores and jobs."""
