"""Alembic migrations of the one database; run by the owner's role (`yinxin db upgrade`)."""
