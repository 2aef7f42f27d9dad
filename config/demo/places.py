"""Regions, clinics, providers and contracts of the demonstration. All providers are invented."""

from typing import NamedTuple

# Fictional telephone numbers: the series that PTS keeps free for books and films.
PHONES = {
    "20": "08-465 004 01",
    "13": "08-465 004 02",
    "01": "08-465 004 03",
    "06": "08-465 004 04",
    "14": "031-390 06 01",
    "10": "040-628 04 01",
}
TRAVEL_PHONES = {
    "20": "08-465 004 11",
    "13": "08-465 004 12",
    "01": "08-465 004 13",
    "06": "08-465 004 14",
    "14": "031-390 06 11",
    "10": "040-628 04 11",
}


class Clinic(NamedTuple):
    login: str
    name: str
    region: str
    town: str
    mvo: str
    codes: tuple[str, ...]
    home_wait: int  # days the clinic's patients wait at home


class Private(NamedTuple):
    login: str
    name: str
    kind: str
    units: tuple[str, ...]  # municipalities
    codes: tuple[str, ...]
    wait: int  # median days at the newest month
    reoperation: str  # per cent within two years, or ""


class Deal(NamedTuple):
    """A contract: owner, provider, who may use it, price level, caps, ASA and state."""

    owner: str
    provider: str
    regions: str
    price: int  # per cent of the base price
    cap: int | None
    asa: int
    state: str = "live"
    cap_sek: int | None = None
    line_cap: int | None = None


KNEE, HIP, EYE, COLON, HERNIA, GALL, TALK = (
    "NGB49",
    "NFB49",
    "CJE20",
    "UJF32",
    "JAB30",
    "JKA21",
    "AU006",
)
ORTHO, SIGHT, SURGERY = (KNEE, KNEE, HIP), (EYE,), (COLON, COLON, HERNIA, GALL)
# The medical area (MVO) that a contract on these procedures is sorted under.
AREAS = {"NGB": "311", "NFB": "311", "CJE": "511", "UJF": "301", "JAB": "301", "JKA": "301"}
BASE_PRICES = {
    "NGB": 96_000,
    "NFB": 94_000,
    "CJE": 9_800,
    "UJF": 8_400,
    "JAB": 27_000,
    "JKA": 38_000,
}
DIAGNOSES = {
    KNEE: "M17.1",
    HIP: "M16.1",
    EYE: "H25.1",
    COLON: "K92.1",
    HERNIA: "K40.9",
    GALL: "K80.2",
    TALK: "F90.0",
}

CLINICS = (
    Clinic("klinik.falun-ortopedi", "Ortopedkliniken Falun", "20", "Falun", "311", ORTHO, 330),
    Clinic("klinik.falun-ogon", "Ögonkliniken Falun", "20", "Falun", "511", SIGHT, 190),
    Clinic("klinik.mora-kirurgi", "Kirurgkliniken Mora", "20", "Mora", "301", SURGERY, 170),
    Clinic(
        "klinik.halmstad-ortopedi", "Ortopedkliniken Halmstad", "13", "Halmstad", "311", ORTHO, 180
    ),
    Clinic(
        "klinik.varberg-kirurgi", "Kirurgkliniken Varberg", "13", "Varberg", "301", SURGERY, 120
    ),
    Clinic(
        "klinik.stockholm-ortopedi", "Ortopedkliniken Söder", "01", "Stockholm", "311", ORTHO, 150
    ),
    Clinic("klinik.stockholm-ogon", "Ögonkliniken Norr", "01", "Stockholm", "511", SIGHT, 110),
    Clinic(
        "klinik.stockholm-bup",
        "Barn- och ungdomspsykiatri City",
        "01",
        "Stockholm",
        "931",
        (TALK,),
        140,
    ),
    Clinic(
        "klinik.ryhov-kirurgi", "Kirurgkliniken Jönköping", "06", "Jönköping", "301", SURGERY, 160
    ),
    Clinic("klinik.eksjo-ortopedi", "Ortopedkliniken Eksjö", "06", "Eksjö", "311", ORTHO, 240),
    Clinic(
        "klinik.goteborg-ortopedi", "Ortopedkliniken Göteborg", "14", "Göteborg", "311", ORTHO, 300
    ),
    Clinic("klinik.boras-ogon", "Ögonkliniken Borås", "14", "Borås", "511", SIGHT, 210),
    Clinic(
        "klinik.karlskrona-ortopedi",
        "Ortopedkliniken Karlskrona",
        "10",
        "Karlskrona",
        "311",
        ORTHO,
        260,
    ),
    Clinic(
        "klinik.karlskrona-kirurgi",
        "Kirurgkliniken Karlskrona",
        "10",
        "Karlskrona",
        "301",
        SURGERY,
        150,
    ),
)

# Fourteen private and non-profit providers of knee prostheses, as many as pilot 1 found suitable.
PROVIDERS = (
    Private(
        "granhojden", "Granhöjdens ortopedi", "private", ("Uppsala",), ("NGB", "NFB"), 38, "1.4"
    ),
    Private(
        "sjovik",
        "Sjöviks specialistsjukhus",
        "private",
        ("Stockholm", "Nacka"),
        ("NGB", "NFB", "JAB"),
        52,
        "1.8",
    ),
    Private("norrskar", "Norrskär ledcenter", "private", ("Gävle",), ("NGB",), 44, "2.1"),
    Private("bjorkhaga", "Björkhaga klinik", "private", ("Örebro",), ("NGB", "NFB"), 61, "1.1"),
    Private(
        "lindvallen",
        "Lindvallens kirurgi",
        "private",
        ("Karlstad",),
        ("NGB", "JAB", "JKA"),
        47,
        "2.6",
    ),
    Private(
        "hamnplan",
        "Hamnplans ortopedi",
        "private",
        ("Göteborg", "Mölndal"),
        ("NGB", "NFB"),
        56,
        "1.6",
    ),
    Private(
        "tallasen", "Tallåsens sjukhus", "non_profit", ("Linköping",), ("NGB", "NFB"), 72, "0.9"
    ),
    Private("vinterbro", "Vinterbro ledcenter", "private", ("Västerås",), ("NGB",), 35, "2.9"),
    Private(
        "kullalid", "Kullalids ledklinik", "private", ("Helsingborg",), ("NGB", "NFB"), 49, "1.9"
    ),
    Private("sandnas", "Sandnäs ortopedcenter", "private", ("Malmö",), ("NGB", "NFB"), 58, "1.5"),
    Private("angsvik", "Ängsviks specialistvård", "non_profit", ("Växjö",), ("NGB",), 66, "1.2"),
    Private("furulid", "Furulids ledcenter", "private", ("Sundsvall",), ("NGB",), 41, ""),
    Private(
        "malmbron",
        "Malmbrons kirurgcentrum",
        "private",
        ("Umeå",),
        ("NGB", "JAB", "JKA"),
        54,
        "2.2",
    ),
    Private("storsjo", "Storsjö ledklinik", "private", ("Östersund",), ("NGB",), 63, "1.7"),
    Private(
        "ljusglimt", "Ljusglimts ögonklinik", "private", ("Stockholm", "Uppsala"), ("CJE",), 22, ""
    ),
    Private("sundsyn", "Sundets ögonkirurgi", "private", ("Malmö",), ("CJE",), 28, ""),
    Private("vastblick", "Västblicks ögoncenter", "private", ("Göteborg",), ("CJE",), 31, ""),
    Private(
        "malarstrand",
        "Mälarstrandens endoskopi",
        "private",
        ("Västerås", "Stockholm"),
        ("UJF",),
        14,
        "",
    ),
    Private("vastbron", "Västbrons magtarmklinik", "private", ("Göteborg",), ("UJF",), 19, ""),
    Private("smalandsendo", "Höglandets endoskopi", "private", ("Nässjö",), ("UJF",), 17, ""),
    # Nobody has a contract with it.
    Private("nordsken", "Nordskens ledklinik", "private", ("Skellefteå",), ("NGB",), 29, "1.3"),
)

# What units say of themselves, one after the other; some say nothing.
LANGUAGES: tuple[list[str], ...] = ([], ["ar", "fi", "so"], ["ar", "en", "prs", "ti"])
EQUIPPED: tuple[list[str], ...] = (
    ["lift", "overnight"],
    ["bariatric", "lift", "overnight", "sleep_apnoea"],
    ["cardiac_device", "intensive_care", "lift", "overnight"],
    ["latex_free", "lift"],
)
# What patients need.
INTERPRETERS = ("arabiska", "somaliska", "finska", "tigrinja")
EQUIPMENT = ("bariatric", "lift", "sleep_apnoea", "cardiac_device")

ALL = "01 06 10 13 14 20"
DEALS = (
    Deal("20", "granhojden", "20", 100, 90, 3),
    Deal("20", "norrskar", "20", 94, 20, 2),
    Deal("20", "lindvallen", "20", 99, 25, 2),
    Deal("20", "bjorkhaga", "20 14", 98, 30, 2),
    Deal("20", "vinterbro", "20", 91, 4, 2, line_cap=4),
    Deal("20", "ljusglimt", "20", 100, 120, 3),
    Deal("20", "malarstrand", "20", 100, None, 3, cap_sek=900_000),
    Deal("01", "sjovik", ALL, 108, 90, 3),
    Deal("01", "ljusglimt", "01 20 14", 104, 80, 2),
    Deal("01", "malarstrand", "01 06 20", 102, 50, 2),
    Deal("13", "hamnplan", "13 14", 101, 40, 2),
    Deal("13", "kullalid", "13 10", 97, 35, 3),
    Deal("13", "lindvallen", "13 20 06 10", 95, 60, 3),
    Deal("14", "hamnplan", "14", 99, 70, 2),
    Deal("14", "vastblick", "14 13", 100, 70, 3),
    Deal("14", "vastbron", "14 13 06", 103, 40, 2),
    Deal("06", "tallasen", "06 10", 102, 30, 3),
    Deal("06", "angsvik", "06", 96, 25, 2),
    Deal("06", "smalandsendo", "06 10", 98, 40, 3),
    Deal("10", "sandnas", "10 13", 100, 30, 2),
    Deal("10", "sundsyn", "10", 100, 25, 3),
    Deal("10", "kullalid", "10", 95, 15, 2, state="expired"),
    Deal("14", "furulid", "14 20", 90, 20, 2, state="coming"),
    Deal("01", "malmbron", "01 20", 92, 20, 2, state="stopped"),
    Deal("20", "storsjo", "20", 93, 20, 3),
)
