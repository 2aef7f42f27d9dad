"""Delivery plans: forecast, plan, follow-up and the report to the supplier."""
