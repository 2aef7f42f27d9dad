"""Great-circle distance. Road distance needs a route service; pages say which one is shown."""

from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG


def great_circle_km(
    latitude: Decimal, longitude: Decimal, other_latitude: Decimal, other_longitude: Decimal
) -> int:
    """Kilometres as the crow flies between two WGS84 points, haversine, rounded."""
    phi, other_phi = radians(latitude), radians(other_latitude)
    half_phi = (other_phi - phi) / 2
    half_lambda = (radians(other_longitude) - radians(longitude)) / 2
    a = sin(half_phi) ** 2 + cos(phi) * cos(other_phi) * sin(half_lambda) ** 2
    return round(2 * EARTH_RADIUS_KM * asin(sqrt(a)))
