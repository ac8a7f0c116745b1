"""Forms that change something are taken only from our own pages."""

from urllib.parse import urlsplit

from fastapi import Request

from trust.kernel.errors import Forbidden


class CrossSiteForm(Forbidden):
    """The form was sent from another site, or from a page of ours that was not reached safely."""

    code = "cross-site-form"


def require_same_origin(request: Request, public_url: str) -> None:
    """Raises CrossSiteForm unless the form was sent by a page of ours, or not by a browser at all.

    Browsers say it in Sec-Fetch-Site (over https and on localhost), which no page can forge; older ones in
    Origin, which our own no-referrer policy makes `null`, so over plain http it may take a newer address.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise CrossSiteForm("the form was sent from another site; open the page here and send it again")
    origin = request.headers.get("origin")
    if origin is None:
        return
    parts = urlsplit(public_url)
    own = {f"{parts.scheme}://{parts.netloc}", f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if origin not in own:
        raise CrossSiteForm("the form was not sent from a page here that was opened over https or localhost")
