"""Care guarantee: how many of the waiting and the done have waited within each limit."""
