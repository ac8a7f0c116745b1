"""Adds the pages to the application."""

from fastapi import FastAPI

from api.web import assets, enrolment, error_pages, public_pages, supervision_pages
from api.web.throttle import page_throttles


def mount_pages(app: FastAPI) -> None:
    """Adds the pages to the application, whose problem handlers are installed already."""
    app.state.page_throttles = page_throttles()
    for router in (assets.router, public_pages.router, enrolment.router, supervision_pages.router):
        app.include_router(router)
    error_pages.install(app)
