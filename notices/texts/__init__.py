"""Texts to patients: kinds, named fields, versions and variants (docs/decisions/0022)."""
