"""Whatever the supervisor started ends with it, also by kill -9."""
