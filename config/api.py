"""The API's addresses: each app's own api.py, the schema and its documentation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.routers import SimpleRouter

from capacity.api import WaitingTimesView
from capacity.plans.api import DeliveryPlanViewSet
from capacity.slots.api import FreeCapacityViewSet
from config.problems import PROBLEM_JSON, PROBLEM_SCHEMA, problem
from contracts.api import ContractViewSet
from contracts.invoice_api import InvoicesView
from notices.api import CaseNotices
from notices.callbacks.api import CallEnd, CaseCalls, FreePhoneTimes
from notices.campaigns.api import CampaignAnswer
from organisations.api import CareUnitList, LoginView, LogoutView, MeView, RegionList
from organisations.schema import SCOPE_EXTENSION
from organisations.scopes import Scope
from referral.api import CaseViewSet
from referral.waiting_list_file.api import WaitingListsView, WaitingListView
from statistics.api import StatisticsView
from statistics.dashboards.api import (
    DashboardFlowsView,
    DashboardFunnelView,
    DashboardGapsView,
    DashboardMonthView,
    DashboardTrendsView,
)
from statistics.frozen.api import FrozenMonthsView, FrozenMonthView
from statistics.guarantee.api import GuaranteeView
from statistics.pathways.api import PathwaysView
from statistics.pathways.file_api import CountsView, LimitsView, WithdrawView
from statistics.performance.api import PerformanceView
from statistics.waiting_times.api import DeliveriesView, DeliveryView


@csrf_exempt  # there is nothing to protect, and a program that posts here is to read why
def unknown_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """No such address under ``/api/``, said as a problem."""
    missing = problem(404, _("Adressen finns inte i API:et."), "not_found")
    return JsonResponse(missing | {"instance": request.path}, status=404, content_type=PROBLEM_JSON)


class TokenScheme(KnoxTokenScheme):
    """How the schema describes our tokens."""

    target_class = "organisations.tokens.ActorTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> Any:
        """With the scopes, each operation naming its own under ``x-required-scope``."""
        scopes = "\n".join(f"* `{scope.value}` – {scope.label}" for scope in Scope)
        return super().get_security_definition(auto_schema) | {
            "description": _("Nyckeln har en sista dag och behörigheter:") + f"\n\n{scopes}",
            SCOPE_EXTENSION + "s": Scope.values,
        }


class Docs(SpectacularSwaggerSplitView):
    """The human documentation; its script comes from an address of its own, none is inline."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    template_name = "api/docs.html"


class ProblemSchemaGenerator(SchemaGenerator):
    """Writes at every operation which refusals it can answer with."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        schema = super().get_schema(request=request, public=public)
        if not settings.DEMO:  # where there is no password login
            schema["paths"].pop(reverse("api-login"), None)
        schema["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
        reference = {"$ref": "#/components/schemas/Problem"}
        for address, methods in schema["paths"].items():
            for method, operation in methods.items():
                for status in _refusals(address, method, operation):
                    operation["responses"][status] = {
                        "content": {PROBLEM_JSON: {"schema": reference}},
                        "description": problem(int(status), "", "")["title"],
                    }
        return schema


def _refusals(address: str, method: str, operation: dict[str, Any]) -> list[str]:
    """The statuses of refusal that an operation can answer with."""
    found = ["401", "403", "429"]
    if method == "post" or any(p["in"] == "query" for p in operation.get("parameters", ())):
        found.append("400")
    if operation.get("parameters"):  # a number that is not there, or a cursor
        found.append("404")
    if method == "post" and operation.get("security") and "cases" in address:
        found.append("409")
    return found


class Schema(SpectacularAPIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    generator_class = ProblemSchemaGenerator


router = SimpleRouter()
router.register("cases", CaseViewSet, basename="api-case")
router.register("contracts", ContractViewSet, basename="api-contract")
router.register("free-capacity", FreeCapacityViewSet, basename="api-free-capacity")
router.register("delivery-plans", DeliveryPlanViewSet, basename="api-delivery-plan")

urlpatterns = [
    path("v1/login/", LoginView.as_view(), name="api-login"),
    path("v1/logout/", LogoutView.as_view(), name="api-logout"),
    path("v1/me/", MeView.as_view(), name="api-me"),
    path("v1/regions/", RegionList.as_view(), name="api-regions"),
    path("v1/care-units/", CareUnitList.as_view(), name="api-care-units"),
    path("v1/cases/<str:number>/notices/", CaseNotices.as_view(), name="api-case-notices"),
    path("v1/cases/<str:number>/calls/", CaseCalls.as_view(), name="api-case-calls"),
    path("v1/cases/<str:number>/calls/<int:pk>/end/", CallEnd.as_view(), name="api-call-end"),
    path("v1/phone-times/", FreePhoneTimes.as_view(), name="api-phone-times"),
    path(
        "v1/cases/<str:number>/campaign-answer/",
        CampaignAnswer.as_view(),
        name="api-case-campaign-answer",
    ),
    path("v1/cancer-pathways/", PathwaysView.as_view(), name="api-cancer-pathways"),
    path("v1/cancer-pathways/limits/", LimitsView.as_view(), name="api-pathway-limits"),
    path("v1/cancer-pathways/counts/", CountsView.as_view(), name="api-pathway-counts"),
    path(
        "v1/cancer-pathways/<str:what>/<int:pk>/withdraw/",
        WithdrawView.as_view(),
        name="api-pathway-withdraw",
    ),
    path("v1/statistics/", StatisticsView.as_view(), name="api-statistics"),
    path("v1/statistics/dashboard/", DashboardMonthView.as_view(), name="api-dashboard"),
    path(
        "v1/statistics/dashboard/trends/",
        DashboardTrendsView.as_view(),
        name="api-dashboard-trends",
    ),
    path(
        "v1/statistics/dashboard/funnel/",
        DashboardFunnelView.as_view(),
        name="api-dashboard-funnel",
    ),
    path(
        "v1/statistics/dashboard/flows/", DashboardFlowsView.as_view(), name="api-dashboard-flows"
    ),
    path("v1/statistics/dashboard/gaps/", DashboardGapsView.as_view(), name="api-dashboard-gaps"),
    path("v1/statistics/guarantee/", GuaranteeView.as_view(), name="api-guarantee"),
    path("v1/statistics/performance/", PerformanceView.as_view(), name="api-performance"),
    path(
        "v1/waiting-time-deliveries/",
        DeliveriesView.as_view(),
        name="api-waiting-time-deliveries",
    ),
    path(
        "v1/waiting-time-deliveries/<str:number>/",
        DeliveryView.as_view(),
        name="api-waiting-time-delivery",
    ),
    path("v1/statistics/months/", FrozenMonthsView.as_view(), name="api-frozen-months"),
    path("v1/statistics/months/<str:month>/", FrozenMonthView.as_view(), name="api-frozen-month"),
    path("v1/invoices/", InvoicesView.as_view(), name="api-invoices"),
    path("v1/waiting-lists/", WaitingListsView.as_view(), name="api-waiting-lists"),
    path("v1/waiting-lists/<int:pk>/", WaitingListView.as_view(), name="api-waiting-list"),
    path("v1/waiting-times/", WaitingTimesView.as_view(), name="api-waiting-times"),
    path("v1/", include(router.urls)),
    path("schema/", Schema.as_view(), name="api-schema"),
    path("docs/", Docs.as_view(url_name="api-schema"), name="api-docs"),
    path("", unknown_address),
    path("<path:rest>", unknown_address),
]
