"""Gateway simulator: 1177's inbox, a print provider and an SMTP server, over real connections.

Another system as far as Vårdlots is concerned: it imports nothing of it and keeps its own book.
Protocol: docs/integrations.md.
"""
