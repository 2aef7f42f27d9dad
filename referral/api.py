"""Cases over the API: read, create, and every verb of the state machine."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from capacity.models import FreeCapacity
from contracts.models import ContractLine
from organisations.access import Actor, record_access
from organisations.api import actor_of, body_of
from organisations.errors import InvalidInput, WrongState
from organisations.masking import holds_identity_number
from organisations.models import CareUnit, Role
from referral import serializers as shapes
from referral import services
from referral import verb_serializers as bodies
from referral.filters import CaseFilter
from referral.lead_time import lead_times_of
from referral.machine import actions_for
from referral.models import Case, CaseState, Offer
from referral.pathways import pathway_names
from referral.pdf import certificate_pdf
from referral.selectors import get_case, matching_for, timeline, worklist
from referral.selectors.worklist import SORTS, cases_of_identity, views_for
from referral.texts import Wishes

WITH_PATIENT = {Role.CLINIC, Role.NAVIGATOR, Role.PROVIDER, Role.INTEGRATION}

MAX_OF_ONE_PATIENT = 200

LIST_PARAMETERS = [
    OpenApiParameter("view", str, description="Vy, som i arbetslistan; utan: alla öppna."),
    OpenApiParameter(
        "search", str, description="Ärendenummer eller namn. Personnummer: POST cases/search/."
    ),
    OpenApiParameter("sort", str, enum=list(SORTS)),
    OpenApiParameter("clinic", str, description="Avsändande enhetens HSA-id."),
    OpenApiParameter("kva", str, description="KVÅ-kod, början av en, eller ord i åtgärden."),
    OpenApiParameter("state", str, enum=CaseState.values),
    OpenApiParameter("svf", str, enum=["1", "0"]),
    OpenApiParameter("svf_pathway", str, enum=list(pathway_names())),
]


def verb(
    serializer: type[Serializer[Any]], path: str
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A verb of the state machine as ``POST /cases/<number>/<path>/``."""

    def decorate(method: Callable[..., Response]) -> Callable[..., Response]:
        routed = action(detail=True, methods=["post"], url_path=path, serializer_class=serializer)(
            method
        )
        # Outermost: ``action`` would write over what the schema is told.
        described = extend_schema(
            request=serializer, responses=shapes.CaseSerializer, tags=["cases"]
        )
        return described(routed)

    return decorate


@extend_schema(tags=["cases"])
class CaseViewSet(viewsets.GenericViewSet[Case]):
    """Ärenden. Numret är nyckeln; ``actions`` säger vad anroparen får göra nu."""

    scope_area = "cases"
    queryset = Case.objects.none()
    serializer_class = shapes.CaseSerializer
    lookup_field = "number"
    lookup_value_regex = "[^/]+"
    filter_backends = ()

    # Reads

    @extend_schema(parameters=LIST_PARAMETERS, responses=shapes.CaseListSerializer(many=True))
    def list(self, request: Request) -> Response:
        actor, now = self._actor(), timezone.now()
        today = timezone.localdate(now)
        view = request.query_params.get("view", "all")
        if view not in {v.key for v in views_for(actor)}:
            raise InvalidInput(_("Okänd vy."), fields={"view": _("Okänd vy.")})
        sort = request.query_params.get("sort", "last_day")
        if sort not in SORTS:
            raise InvalidInput(_("Okänd ordning."), fields={"sort": _("Okänd ordning.")})
        if holds_identity_number(request.query_params.get("search", "")):
            text = _(
                "Sök på personnummer med POST till cases/search/, så att det inte syns i URL:en."
            )
            raise InvalidInput(text, fields={"search": text})
        cases = worklist(
            actor,
            view=view,
            today=today,
            search=request.query_params.get("search", "").replace("\x00", ""),
            sort=sort,
        )
        filters = CaseFilter(request.query_params, queryset=cases, actor=actor)
        if not filters.is_valid():
            fields = {name: " ".join(map(str, text)) for name, text in filters.errors.items()}
            raise InvalidInput(_("Filtret kan inte läsas."), fields=fields)
        page = self.paginate_queryset(filters.qs) or []
        record_access(actor, what="list", now=now, cases=[(c.number, c.patient_id) for c in page])
        rows = _listed(page, today=today)
        return self.get_paginated_response(rows.data)

    @extend_schema(
        request=shapes.IdentitySearchSerializer, responses=shapes.CaseListSerializer(many=True)
    )
    @action(
        detail=False,
        methods=["post"],
        pagination_class=None,
        serializer_class=shapes.IdentitySearchSerializer,
    )
    def search(self, request: Request) -> Response:
        """En patients ärenden, nyast först. Personnumret står i kroppen, aldrig i adressen."""
        actor, now = self._actor(), timezone.now()
        today = timezone.localdate(now)
        body = self._body(shapes.IdentitySearchSerializer)
        found = cases_of_identity(actor, body.validated_data["identity_number"], today=today)
        if found is None:
            text = _("Numret är inget giltigt personnummer.")
            raise InvalidInput(text, fields={"identity_number": text})
        cases = list(found.order_by("-pk")[:MAX_OF_ONE_PATIENT])
        record_access(actor, what="list", now=now, cases=[(c.number, c.patient_id) for c in cases])
        rows = _listed(cases, today=today)
        return Response(rows.data)

    @extend_schema(responses=shapes.CaseSerializer)
    def retrieve(self, request: Request, number: str) -> Response:
        return self._answer(self._case(number, what="case"))

    @extend_schema(responses=shapes.LogSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def log(self, request: Request, number: str) -> Response:
        """Ärendets tidslinje, nyast först; för en vårdgivare från patientens ja."""
        case = self._case(number, what="log")
        return Response(shapes.LogSerializer(timeline(self._actor(), case), many=True).data)

    @extend_schema(responses=shapes.MatchingSerializer)
    @action(detail=True, methods=["get"], pagination_class=None)
    def matches(self, request: Request, number: str) -> Response:
        """Rangordnade vårdgivare och de som inte går, med skäl."""
        case = self._case(number, what="matching", roles={Role.NAVIGATOR})
        matching = matching_for(case, today=timezone.localdate())
        return Response(shapes.MatchingSerializer(matching).data)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(
        detail=True,
        methods=["get"],
        url_path=r"certificates/(?P<serial>[0-9]{1,4})",
        pagination_class=None,
    )
    def certificate(self, request: Request, number: str, serial: str) -> HttpResponse:
        """Vårdgarantiintyget som PDF."""
        case = self._case(number, what="certificate")
        found = case.certificates.filter(serial=int(serial))
        if self._actor().role == Role.PROVIDER:
            found = found.filter(offer__state=Offer.State.ACCEPTED)
        certificate = found.first()
        if certificate is None:
            raise Http404
        return HttpResponse(certificate_pdf(certificate), content_type="application/pdf")

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(
        detail=True,
        methods=["get"],
        url_path=r"attachments/(?P<pk>[0-9]{1,18})",
        pagination_class=None,
    )
    def attachment(self, request: Request, number: str, pk: str) -> FileResponse:
        """En av blankettens bilagor som fil."""
        case = self._case(number, what="attachment")
        found = case.form.attachments.filter(pk=int(pk)).first()
        if found is None:
            raise Http404
        return FileResponse(
            found.file.open("rb"),
            as_attachment=True,
            filename=found.name,
            content_type=found.content_type,
        )

    # Forms

    @extend_schema(request=shapes.SubmissionSerializer, responses={201: shapes.CaseSerializer})
    def create(self, request: Request) -> Response:
        """Skicka in blanketten; ärendet får sitt nummer."""
        actor = self._actor()
        body = self._body(shapes.SubmissionSerializer)
        unit = _sending_unit(actor, body.validated_data.get("sending_unit", ""))
        case = services.submit(
            body.submission(),
            sending_unit=unit,
            actor=actor,
            now=timezone.now(),
            attachments=body.attachments_given(),
        )
        return self._answer(case, created=True)

    @verb(shapes.SubmissionSerializer, "resubmit")
    def resubmit(self, request: Request, number: str) -> Response:
        """Skicka in den kompletterade blanketten; samma ärende."""
        case = self._case(number, what="form")
        body = self._body(shapes.SubmissionSerializer)
        return self._answer(
            services.resubmit(
                case,
                body.submission(),
                actor=self._actor(),
                now=timezone.now(),
                attachments=body.attachments_given(),
            )
        )

    # Verbs

    @verb(bodies.NothingSerializer, "take")
    def take(self, request: Request, number: str) -> Response:
        """Vårdlotsen tar ärendet."""
        return self._do(number, services.take)

    @verb(bodies.NothingSerializer, "assign")
    def assign(self, request: Request, number: str) -> Response:
        """Vårdlotsen tar över ärendet."""
        return self._do(number, services.assign)

    @verb(bodies.ReturnSerializer, "return")
    def return_to_clinic(self, request: Request, number: str) -> Response:
        """Åter till kliniken med vad som saknas."""
        return self._do(number, services.return_to_clinic)

    @verb(bodies.NoteSerializer, "note")
    def note(self, request: Request, number: str) -> Response:
        """Skriv en anteckning."""
        return self._do(number, services.note)

    @verb(bodies.ParkSerializer, "park")
    def park(self, request: Request, number: str) -> Response:
        """Lägg på bevakningslistan."""
        return self._do(number, services.park)

    @verb(bodies.ReviewSerializer, "review")
    def review(self, request: Request, number: str) -> Response:
        """Sett över; bevakas högst 30 dagar till."""
        return self._do(number, services.review)

    @verb(bodies.NothingSerializer, "unpark")
    def unpark(self, request: Request, number: str) -> Response:
        """Återuppta handläggningen."""
        return self._do(number, services.unpark)

    @verb(bodies.EndSerializer, "end")
    def end(self, request: Request, number: str) -> Response:
        """Avsluta utan förmedling."""
        return self._do(number, services.end)

    @verb(bodies.LeaveListSerializer, "leave-list")
    def leave_list(self, request: Request, number: str) -> Response:
        """Patienten behöver inte längre vården: ärendet avslutas och patienten lämnar kön."""
        return self._do(number, services.leave_list)

    @verb(bodies.PauseSerializer, "pause")
    def pause(self, request: Request, number: str) -> Response:
        """Pausa vårdgarantin."""
        return self._do(number, services.pause)

    @verb(bodies.EndPauseSerializer, "end-pause")
    def end_pause(self, request: Request, number: str) -> Response:
        """Avsluta pausen."""
        return self._do(number, services.end_pause)

    @extend_schema(methods=["GET"], responses=shapes.OfferSerializer(many=True), request=None)
    @extend_schema(
        methods=["POST"],
        request=bodies.OfferRequestSerializer,
        responses={201: shapes.OfferSerializer},
    )
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def offers(self, request: Request, number: str) -> Response:
        """Erbjudanden i ärendet; POST reserverar en plats och skickar ett nytt."""
        if request.method == "GET":
            case = self._case(number, what="offers")
            return Response(
                shapes.OfferSerializer(_offers_for(case, self._actor()), many=True).data
            )
        case = self._case(number, what="case")
        body = dict(self._body(bodies.OfferRequestSerializer).validated_data)
        line_id, slot_id = body.pop("line"), body.pop("slot")
        line = (
            ContractLine.objects.select_related("contract", "care_unit__municipality")
            .filter(pk=line_id)
            .first()
        )
        if line is None:
            text = _("Avropsraden finns inte.")
            raise InvalidInput(text, fields={"line": text})
        slot = None
        if slot_id is not None:
            slot = FreeCapacity.objects.filter(pk=slot_id).first()
            if slot is None:
                text = _("De lediga platserna finns inte.")
                raise InvalidInput(text, fields={"slot": text})
        offer = services.send_offer(
            case,
            line=line,
            actor=self._actor(),
            now=timezone.now(),
            wishes=Wishes(**body),
            slot=slot,
        )
        return Response(shapes.OfferSerializer(offer).data, status=status.HTTP_201_CREATED)

    @verb(bodies.AnswerSerializer, "answer")
    def answer(self, request: Request, number: str) -> Response:
        """Logga patientens svar per telefon eller brev."""
        case = self._case(number, what="case")
        body = self._body(bodies.AnswerSerializer).validated_data
        services.answer_offer(
            _standing_offer(case), **body, actor=self._actor(), now=timezone.now()
        )
        return self._again(number)

    @verb(bodies.WithdrawSerializer, "withdraw-offer")
    def withdraw_offer(self, request: Request, number: str) -> Response:
        """Återta ett obesvarat erbjudande."""
        case = self._case(number, what="case")
        body = self._body(bodies.WithdrawSerializer).validated_data
        services.withdraw_offer(
            _standing_offer(case), **body, actor=self._actor(), now=timezone.now()
        )
        return self._again(number)

    @verb(bodies.NothingSerializer, "confirm")
    def confirm(self, request: Request, number: str) -> Response:
        """Bekräfta remissen."""
        return self._do(number, services.confirm)

    @verb(bodies.RejectSerializer, "reject")
    def reject(self, request: Request, number: str) -> Response:
        """Avvisa remissen; vårdgivaren ser därefter inte ärendet."""
        case = self._case(number, what="case")
        body = self._body(bodies.RejectSerializer).validated_data
        done = services.reject(case, **body, actor=self._actor(), now=timezone.now())
        # From here on the database shows the provider neither patient nor form: the answer is
        # the case as it was read, with what the refusal changed.
        case.state, case.receiving_unit, case.confirmed_at = done.state, None, None
        return self._answer(case, gone=True)

    @verb(bodies.BookSerializer, "book")
    def book(self, request: Request, number: str) -> Response:
        """Boka eller flytta tiden."""
        return self._do(number, services.book)

    @verb(bodies.TreatSerializer, "treat")
    def treat(self, request: Request, number: str) -> Response:
        """Rapportera behandlingen."""
        return self._do(number, services.treat)

    @verb(bodies.CloseSerializer, "close")
    def close(self, request: Request, number: str) -> Response:
        """Återremittera och avsluta."""
        return self._do(number, services.close)

    # Shared

    def _actor(self) -> Actor:
        actor = actor_of(self.request)
        if actor.role not in WITH_PATIENT:
            raise PermissionDenied(_("Din roll ser inga patientuppgifter."))
        return actor

    def _case(self, number: str, *, what: str, roles: set[Role] | None = None) -> Case:
        """The case, its reading logged; what is done to it then has a row of its own."""
        actor = self._actor()
        case = get_case(actor, number)
        if roles is not None and actor.role not in roles:
            raise PermissionDenied(_("Din roll får inte göra detta."))
        record_access(actor, what=what, now=timezone.now(), cases=[(case.number, case.patient_id)])
        return case

    def _body(self, serializer: type[Any]) -> Any:
        body = serializer(data=body_of(self.request))
        body.is_valid(raise_exception=True)
        return body

    def _do(self, number: str, service: Callable[..., Case]) -> Response:
        """Call the service with the body's fields as its keyword arguments."""
        case = self._case(number, what="case")
        body = self._body(self.get_serializer_class()).validated_data
        return self._answer(service(case, **body, actor=self._actor(), now=timezone.now()))

    def _again(self, number: str) -> Response:
        return self._answer(get_case(self._actor(), number))

    def _answer(self, case: Case, *, created: bool = False, gone: bool = False) -> Response:
        context = {
            "today": timezone.localdate(),
            "actions": [] if gone else actions_for(case, self._actor()),
            "offers": _offers_for(case, self._actor()),
        }
        return Response(
            shapes.CaseSerializer(case, context=context).data,
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
        )


def _sending_unit(actor: Actor, hsa_id: str) -> CareUnit:
    """The clinic's own unit, or the one an integration client names within its region."""
    units = CareUnit.objects.select_related("region", "medical_area").filter(sends=True)
    if actor.role == Role.CLINIC:
        units = units.filter(pk=actor.care_unit_id or 0)
        if hsa_id:
            units = units.filter(hsa_id=hsa_id)
    else:
        units = units.filter(region_id=actor.region or "", hsa_id=hsa_id)
    unit = units.first()
    if unit is None:
        text = _("Ange en avsändande enhet som du får skicka för (HSA-id).")
        raise InvalidInput(text, fields={"sending_unit": text})
    return unit


def _listed(cases: Sequence[Case], *, today: date) -> Any:
    context = {"today": today, "lead_times": lead_times_of(cases, today=today)}
    return shapes.CaseListSerializer(cases, many=True, context=context)


def _offers_for(case: Case, actor: Actor) -> list[Offer]:
    """The case's offers; a provider sees the one that was accepted."""
    offers = case.offers.select_related("care_unit", "certificate", "referral")
    if actor.role == Role.PROVIDER:
        offers = offers.filter(state=Offer.State.ACCEPTED)
    return list(offers.order_by("serial"))


def _standing_offer(case: Case) -> Offer:
    offer = case.offers.filter(state=Offer.State.SENT).first()
    if offer is None:
        raise WrongState(_("Inget erbjudande väntar på svar."), code="no_standing_offer")
    return offer
