"""Who can log in to the demonstration."""

from typing import NamedTuple

from organisations.models import Role

PASSWORD = "vardlots-demo-2026"  # noqa: S105 – shown on the screen; demo mode only  # nosec B105


class DemoUser(NamedTuple):
    login: str
    name: str
    role: Role
    region: str = ""
    unit: str = ""
    provider: str = ""


REGION_USERS = {
    "20": ("dalarna", ("Maria Lindqvist", "Johan Berg", "Eva Norén", "Karin Ek", "Per Sund")),
    "13": ("halland", ("Sofia Dahl", "Anders Holm", "Lena Fors", "Ulf Krantz", "Ida Lund")),
    "01": ("stockholm", ("Nadia Haddad", "Oskar Grahn", "Elin Vik", "Hans Modig", "Åsa Röst")),
    "06": ("jonkoping", ("Björn Alm", "Cecilia Hjort", "Mats Rydén", "Gun Palm", "Tove Ask")),
    "14": ("vg", ("Amina Yusuf", "Erik Sjögren", "Maja Lilja", "Rolf Brandt", "Siv Örn")),
    "10": ("blekinge", ("Olle Strand", "Pia Kvist", "Jonas Hed", "Britt Lager", "Kim Åberg")),
}
REGION_ROLES = (
    ("lots", Role.NAVIGATOR),
    ("lots2", Role.NAVIGATOR),
    ("avtal", Role.CONTRACT_OWNER),
    ("chef", Role.MANAGER),
    ("admin", Role.REGION_ADMIN),
)


def region_users() -> list[DemoUser]:
    """Two navigators, contract owner, manager and administrator for each region."""
    users = [
        DemoUser(f"{prefix}.{short}", name, role, region=code)
        for code, (short, names) in REGION_USERS.items()
        for (prefix, role), name in zip(REGION_ROLES, names, strict=True)
    ]
    users.append(DemoUser("integration.halland", "Journalsystemet", Role.INTEGRATION, region="13"))
    users.append(DemoUser("drift", "Dag Drift", Role.OPERATOR))
    return users


def demo_logins() -> list[str]:
    """A line for each of the logins one needs for the tour: one for each role."""
    tour = (
        ("klinik.falun-ortopedi", "klinik, ortopeden i Falun"),
        ("lots.dalarna", "vårdlots, Region Dalarna"),
        ("vardgivare.granhojden", "mottagande vårdgivare, Granhöjdens ortopedi"),
        ("avtal.dalarna", "avtalsägare, Region Dalarna"),
        ("chef.dalarna", "chef, Region Dalarna"),
        ("admin.dalarna", "regionadministratör, Region Dalarna"),
        ("drift", "systemoperatör"),
        ("integration.halland", "integration, för API"),
    )
    width = max(len(login) for login, _place in tour)
    return [f"{login:<{width}}  {PASSWORD}  {place}" for login, place in tour]
