"""Jobs run on procrastinate over the same PostgreSQL, enqueued inside the business transaction."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import procrastinate
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from sqlalchemy import Connection

# A worker that has not said so for this long is dead; its jobs are given to another.
STALLED_AFTER_SECONDS: Final = 30
# A worker that is told to stop while the database is gone must not wait for it.
CONNECTION_SECONDS: Final = 5.0

Task = Callable[..., None]


class Enqueuer:
    """Puts jobs into the queue on the connection of an open transaction, so that both commit or neither."""

    def __init__(self) -> None:
        self._app = App(connector=SyncPsycopgConnector())

    def defer(self, connection: Connection, task_name: str, arguments: Mapping[str, Any]) -> None:
        driver = connection.connection.driver_connection
        self._app.configure_task(task_name, connection=driver).defer(**arguments)


class JobWorker:
    """Runs the tasks, plain functions of JSON values, by their names; any number of workers may run."""

    def __init__(self, url: str, tasks: Mapping[str, Task]) -> None:
        connector = PsycopgConnector(
            conninfo=libpq_url(url),
            kwargs={"options": "-c search_path=procrastinate"},
            timeout=CONNECTION_SECONDS,
        )
        self._app = App(connector=connector)
        for name, task in tasks.items():
            retry = procrastinate.RetryStrategy(max_attempts=10, exponential_wait=2)
            self._app.task(name=name, retry=retry)(task)
        returned = self._app.task(name="jobs.return-stalled")(self._return_stalled)
        self._app.periodic(cron="* * * * *")(returned)

    async def _return_stalled(self, timestamp: int) -> None:
        """Gives the jobs of dead workers to the living."""
        del timestamp
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
            await manager.retry_job(job)

    def run(self, *, concurrency: int = 2, install_signal_handlers: bool = True) -> None:
        """Works on jobs until the process is told to stop (SIGINT, SIGTERM)."""
        self._app.run_worker(
            concurrency=concurrency, wait=True, install_signal_handlers=install_signal_handlers
        )


def libpq_url(url: str) -> str:
    """The URL as libpq reads it: SQLAlchemy's driver suffix removed."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
