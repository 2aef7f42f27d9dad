"""The monthly file for the national waiting-time database: layout, validation, deliveries."""
