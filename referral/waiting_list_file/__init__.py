"""A clinic's whole waiting list as a file: each good row becomes a case, as if by the form."""
