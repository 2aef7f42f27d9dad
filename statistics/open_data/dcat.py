"""The catalogue for Sveriges dataportal: DCAT-AP-SE as RDF/XML, the syntax that DIGG harvests.

By the profile and its example files (diggsweden/DCAT-AP-SE): absolute addresses everywhere, no
blank nodes for catalogue, data set, distributions, publisher and contact, the publisher named by
its organisation number where it has one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree  # nosec B405 – written, never read

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from statistics.open_data.files import LICENCE, description, title
from statistics.open_data.models import Edition
from statistics.open_data.quarters import Quarter

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DCT = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
FOAF = "http://xmlns.com/foaf/0.1/"
VCARD = "http://www.w3.org/2006/vcard/ns#"
XML = "http://www.w3.org/XML/1998/namespace"
XSD_DATE = "http://www.w3.org/2001/XMLSchema#date"
EU = "http://publications.europa.eu/resource/authority"
SWEDEN = "http://sws.geonames.org/2661886"
MEDIA = "http://www.iana.org/assignments/media-types/"
KEYWORDS = {
    "sv": ("vårdgaranti", "nationell vårdförmedling", "väntetider", "utomlänsvård"),
    "en": ("care guarantee", "waiting times", "care in another region"),
}
for _prefix, _uri in (("rdf", RDF), ("dcterms", DCT), ("dcat", DCAT), ("foaf", FOAF)):
    ElementTree.register_namespace(_prefix, _uri)
ElementTree.register_namespace("vcard", VCARD)


@dataclass(frozen=True)
class Publisher:
    """Who answers for the installation's open data (``VARDLOTS_OPEN_DATA_…``)."""

    name: str
    uri: str
    email: str

    @classmethod
    def of_settings(cls) -> "Publisher":
        number = settings.OPEN_DATA_ORGANISATION
        uri = f"http://dataportal.se/organisation/SE{number}" if number else _id("publisher")
        return cls(settings.OPEN_DATA_PUBLISHER, uri, settings.OPEN_DATA_EMAIL)


def catalogue(editions: Sequence[Edition]) -> bytes:
    """The whole catalogue: one data set with its two files."""
    publisher = Publisher.of_settings()
    root = ElementTree.Element(f"{{{RDF}}}RDF")
    _catalog(root, publisher, editions)
    _dataset(root, publisher, editions)
    for kind, media in (("csv", "text/csv"), ("json", "application/json")):
        _distribution(root, kind, media, editions)
    agent = _thing(root, FOAF, "Agent", publisher.uri)
    _text(agent, FOAF, "name", publisher.name)
    _link(agent, DCT, "type", "http://purl.org/adms/publishertype/RegionalAuthority")
    if publisher.email:
        contact = _thing(root, VCARD, "Organization", _id("contact"))
        _text(contact, VCARD, "fn", publisher.name)
        _link(contact, VCARD, "hasEmail", f"mailto:{publisher.email}")
    ElementTree.indent(root)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _catalog(root: ElementTree.Element, publisher: Publisher, editions: Sequence[Edition]) -> None:
    catalog = _thing(root, DCAT, "Catalog", _id("catalog"))
    for language, words in (("sv", "Öppna data från Vårdlots"), ("en", "Open data of Vårdlots")):
        _text(catalog, DCT, "title", words, language)
    _in_both(catalog, "description", description)
    _link(catalog, DCT, "publisher", publisher.uri)
    _link(catalog, DCT, "license", LICENCE)
    _link(catalog, FOAF, "homepage", _address("open-data"))
    for language in ("SWE", "ENG"):
        _link(catalog, DCT, "language", f"{EU}/language/{language}")
    _link(catalog, DCAT, "themeTaxonomy", f"{EU}/data-theme")
    _dates(catalog, editions)
    _link(catalog, DCAT, "dataset", _id("dataset"))


def _dataset(root: ElementTree.Element, publisher: Publisher, editions: Sequence[Edition]) -> None:
    dataset = _thing(root, DCAT, "Dataset", _id("dataset"))
    _in_both(dataset, "title", title)
    _in_both(dataset, "description", description)
    _link(dataset, DCT, "publisher", publisher.uri)
    if publisher.email:
        _link(dataset, DCAT, "contactPoint", _id("contact"))
    for language, words in KEYWORDS.items():
        for word in words:
            _text(dataset, DCAT, "keyword", word, language)
    _link(dataset, DCAT, "theme", f"{EU}/data-theme/HEAL")
    _link(dataset, DCT, "spatial", SWEDEN)
    _link(dataset, DCT, "accrualPeriodicity", f"{EU}/frequency/QUARTERLY")
    _link(dataset, DCT, "accessRights", f"{EU}/access-right/PUBLIC")
    for language in ("SWE", "ENG"):
        _link(dataset, DCT, "language", f"{EU}/language/{language}")
    _link(dataset, DCAT, "landingPage", _address("open-data"))
    _dates(dataset, editions)
    quarters = [quarter for one in editions if (quarter := Quarter.parse(one.period))]
    if quarters:
        temporal = ElementTree.SubElement(dataset, f"{{{DCT}}}temporal")
        period = ElementTree.SubElement(temporal, f"{{{DCT}}}PeriodOfTime")
        _date(period, DCAT, "startDate", min(quarters).first_day.isoformat())
        _date(period, DCAT, "endDate", max(quarters).last_day.isoformat())
    for kind in ("csv", "json"):
        _link(dataset, DCAT, "distribution", _id(kind))


def _distribution(
    root: ElementTree.Element, kind: str, media: str, editions: Sequence[Edition]
) -> None:
    file = _thing(root, DCAT, "Distribution", _id(kind))
    _in_both(file, "title", lambda: f"{title()}, {kind.upper()}")
    _in_both(file, "description", description)
    _link(file, DCAT, "accessURL", _address("open-data"))
    _link(file, DCAT, "downloadURL", _address("open-data-file", kind=kind))
    _text(file, DCT, "format", media)
    _link(file, DCAT, "mediaType", MEDIA + media)
    _link(file, DCT, "license", LICENCE)
    _link(file, DCT, "conformsTo", _address("open-data-schema"))
    _dates(file, editions)


def _dates(thing: ElementTree.Element, editions: Sequence[Edition]) -> None:
    days = [timezone.localdate(one.published_at).isoformat() for one in editions]
    if days:
        _date(thing, DCT, "issued", min(days))
        _date(thing, DCT, "modified", max(days))


def _in_both(thing: ElementTree.Element, name: str, words: Callable[[], str]) -> None:
    for language in ("sv", "en"):
        with override(language):
            _text(thing, DCT, name, words(), language)


def _thing(root: ElementTree.Element, space: str, name: str, uri: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, f"{{{space}}}{name}", {f"{{{RDF}}}about": uri})


def _link(thing: ElementTree.Element, space: str, name: str, uri: str) -> None:
    ElementTree.SubElement(thing, f"{{{space}}}{name}", {f"{{{RDF}}}resource": uri})


def _text(
    thing: ElementTree.Element, space: str, name: str, words: str, language: str = ""
) -> None:
    attributes = {f"{{{XML}}}lang": language} if language else {}
    ElementTree.SubElement(thing, f"{{{space}}}{name}", attributes).text = words


def _date(thing: ElementTree.Element, space: str, name: str, day: str) -> None:
    made = ElementTree.SubElement(thing, f"{{{space}}}{name}", {f"{{{RDF}}}datatype": XSD_DATE})
    made.text = day


def _address(name: str, **keys: str) -> str:
    return settings.BASE_URL + reverse(name, kwargs=keys or None)


def _id(part: str) -> str:
    return f"{_address('open-data-catalogue')}#{part}"
