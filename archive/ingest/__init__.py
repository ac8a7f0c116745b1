"""Ingest of a case (归档): the manifest, the submission, its package, the procedure and what resumes it."""
