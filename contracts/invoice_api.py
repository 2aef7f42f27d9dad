"""Invoices over the API: an intake of e-invoices hands them in and reads what became of them."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.models import Invoice, InvoiceFile, InvoiceLine
from contracts.selectors.invoices import invoices_of, may_receive, record_look
from contracts.services import receive_invoices
from organisations.api import actor_of
from organisations.api_files import BodyParser, CsvBodyParser, XlsxBodyParser
from organisations.masking import masked


class XmlParser(BodyParser):
    media_type = "application/xml"


class TextXmlParser(BodyParser):
    media_type = "text/xml"


PARSERS = (XmlParser, TextXmlParser, CsvBodyParser, XlsxBodyParser)


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """``deviations`` are codes; ``left_sek`` is what is left after credits."""

    left_sek = serializers.DecimalField(12, 2, read_only=True)

    class Meta:
        model = InvoiceLine
        fields = (
            *("position", "line_id", "is_credit", "case_number", "quoted", "amount_sek"),
            *("left_sek", "quantity", "treated_from", "treated_to", "state", "deviations"),
        )


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    provider = serializers.CharField(source="provider.organisation_number", read_only=True)
    lines = InvoiceLineSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = (
            *("id", "kind", "number", "credits_number", "provider", "region", "issued_on"),
            *("due_on", "total_sek", "received_at", "lines"),
        )


class ReceivedSerializer(serializers.Serializer[Any]):
    known = serializers.BooleanField(help_text="Filen hade lästs in förut; inget ändrades.")
    invoices = InvoiceSerializer(many=True)


class InvoicesView(generics.ListAPIView[Invoice]):
    """Regionens fakturor, nyast först, med vad som blev av varje rad."""

    scope_area = "invoices"
    serializer_class = InvoiceSerializer
    queryset = Invoice.objects.none()
    parser_classes = PARSERS
    most_bytes = InvoiceFile.MAX_BYTES

    def get_queryset(self) -> Any:
        actor = actor_of(self.request)
        if not may_receive(actor):
            raise PermissionDenied
        return invoices_of(actor).prefetch_related("lines")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        self._look(list(page))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        request={parser.media_type: OpenApiTypes.BINARY for parser in PARSERS},
        parameters=[OpenApiParameter("name", str, description="Filens namn, för den som söker.")],
        responses={200: ReceivedSerializer, 201: ReceivedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Lämna in en fil: Peppol BIS Billing 3.0, CSV eller XLSX, högst 10 MB.

        201 när den lästs in, 200 när den var inläst förut.
        """
        actor = actor_of(request)
        sent: Any = request.data
        received = receive_invoices(
            sent.get("content", b""),
            name=masked(request.query_params.get("name", ""))[:150] or "api",
            actor=actor,
            now=timezone.now(),
        )
        keys = [invoice.pk for invoice in received.invoices]
        invoices = list(invoices_of(actor).filter(pk__in=keys).prefetch_related("lines"))
        self._look(invoices)
        answer = {"known": received.is_known, "invoices": invoices}
        made = status.HTTP_200_OK if received.is_known else status.HTTP_201_CREATED
        return Response(ReceivedSerializer(answer).data, status=made)

    def _look(self, invoices: Iterable[Invoice]) -> None:
        lines = [line for invoice in invoices for line in invoice.lines.all()]
        record_look(actor_of(self.request), lines, what="invoice", now=timezone.now())
