"""The pages people see."""

from fastapi import FastAPI


def mount_pages(app: FastAPI) -> None:
    """Adds the pages to the application."""
