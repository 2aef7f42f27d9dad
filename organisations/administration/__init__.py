"""How people, assignments, units, providers and regions are run, in the product and on record.

A region administrator rules over the region's own; a system operator over regions, providers,
region administrators and integrations. Neither sees a patient (docs/decisions/0008).
"""
