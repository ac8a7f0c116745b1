"""`yinxin serve`: the server alone, or everything on embedded defaults."""

import signal
import threading

import uvicorn
from rich.console import Console

from api.cli.ceremony import first_administrator_link
from api.settings import Settings
from api.supervisor import Supervisor


def serve_only(settings: Settings) -> None:
    """The server on the databases and the signer that the settings name."""
    if settings.workers > 1:
        uvicorn.run(
            "api.cli.serving:application",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whom to believe is for api.supervision.origins to say
        )
        return
    from api.app import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


def application() -> object:
    """The application for a server with several processes."""
    from api.app import create_app
    from api.cli.starting import load_settings

    return create_app(load_settings())


def serve_embedded(settings: Settings) -> None:
    """PostgreSQL, signer, worker and server as children, until interrupted."""
    console = Console(stderr=True)
    log = settings.data / "yinxin.log"
    settings.data.mkdir(parents=True, exist_ok=True)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    with Supervisor(settings, log=log) as house:
        console.print(
            "[bold]Yinxin 印信[/bold] is running on embedded defaults: for trying out, not for service."
        )
        console.print(f"  address              {settings.public_url}", markup=False)
        console.print(f"  data                 {settings.data}", markup=False)
        console.print(f"  key-encryption key   {settings.key_encryption_key}", markup=False)
        console.print(f"  log                  {log}", markup=False)
        link = first_administrator_link(house.settings)
        if link is not None:
            console.print("  first administrator  open this link once:", markup=False)
            print(link, flush=True)
        while not stopped.wait(0.5):
            for name, child in house.children.items():
                if child.poll() is not None:
                    console.print(f"`yinxin {name}` has ended; see {log}", markup=False)
                    return
