"""Free capacity: the places that providers post."""
