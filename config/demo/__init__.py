"""The demonstration: six regions, providers, contracts and some 300 invented patients' cases.

Deterministic from a seed and a time. A good third of the cases is made by walking the real services
with past times, so that numbers, logs, call-offs, certificates and notices are all true; the rest
are the finished ones again, weeks later and with other patients (``echo``).
"""

from config.demo.logins import PASSWORD, demo_logins

__all__ = ["PASSWORD", "demo_logins"]
