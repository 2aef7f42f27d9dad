"""Django's PostgreSQL backend that tells the database who acts; see ``base``."""
