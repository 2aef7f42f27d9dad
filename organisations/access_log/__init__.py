"""The access log's writing, sealing and verifying (docs/decisions/0005-the-access-log.md)."""
