"""Contracts as files: the columns, reading and writing."""
