"""Backup and restore, one command each (docs/decisions/0012-backup.md)."""


class BackupError(Exception):
    """What stands in the way, in words for the operator."""
