"""The performance requirements of the 2022 agreement on availability, as a calculator."""
