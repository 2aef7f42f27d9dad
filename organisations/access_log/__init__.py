"""The access log's writing, sealing and verifying (docs/decisions/0009-the-access-log.md)."""
