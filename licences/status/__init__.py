"""Status lists: indexes given out at random, changes recorded, the signed list always as new as the last change."""
