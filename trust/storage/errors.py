"""What goes wrong at the database."""

from trust.kernel.errors import Unavailable


class DatabaseAway(Unavailable):
    """PostgreSQL cannot be reached, refused the connection, or did not answer in time."""

    code = "database-away"
