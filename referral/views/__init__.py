"""Pages of the cases and the forms: parse, call, render."""
