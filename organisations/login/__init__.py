"""Login by SITHS or, in a demonstration, by password; sessions, lock-out and API tokens."""
