"""What the API of every app shares: the actor behind a token, login, and places."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction
from django.forms import Form
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from knox.views import LogoutView as KnoxLogoutView
from rest_framework import exceptions, generics, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from organisations.access import Actor
from organisations.errors import InvalidInput
from organisations.login.lockout import attempt
from organisations.models import ApiToken, Assignment, CareUnit, Region, User
from organisations.scopes import ANY_TOKEN, Scope
from organisations.throttling import client_address
from organisations.tokens import ActorTokenAuthentication


def actor_of(request: Request) -> Actor:
    """The actor that :class:`organisations.tokens.HasActor` let in."""
    actor = getattr(request._request, "actor", None)
    if not isinstance(actor, Actor):
        raise exceptions.PermissionDenied(_("Du har inget uppdrag i Vårdlots just nu."))
    return actor


def body_of(request: Request) -> Any:
    """What the request's body holds. JSON nested too deep to be read is refused as not JSON."""
    try:
        return request.data
    except RecursionError as error:
        raise exceptions.ParseError from error


def refuse_unreadable(form: Form) -> None:
    """Raise :class:`InvalidInput` where the choice in the address cannot be read."""
    if not form.is_valid():
        fields = {name: " ".join(map(str, text)) for name, text in form.errors.items()}
        raise InvalidInput(_("Urvalet kan inte läsas."), fields=fields)


class LoginSerializer(serializers.Serializer[Any]):
    login = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=200)


class TokenSerializer(serializers.Serializer[Any]):
    authorization = serializers.CharField(help_text="Hela värdet av Authorization-huvudet.")
    expiry = serializers.DateTimeField()


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class LoginView(APIView):
    """Password login for a token; in a demonstration installation only (design 4)."""

    scope_area = ANY_TOKEN
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.DEMO:
            raise exceptions.NotFound
        super().initial(request, *args, **kwargs)

    def get_authenticate_header(self, request: Request) -> str:
        """Without one a wrong password would be answered 403 instead of 401."""
        return "Token"

    @extend_schema(request=LoginSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=body_of(request))
        form.is_valid(raise_exception=True)
        name = form.validated_data["login"]
        address = client_address(request._request)
        tried = attempt(login=name, address=address, now=timezone.now())
        if tried.wait_seconds:
            raise exceptions.Throttled(
                tried.wait_seconds, _("För många misslyckade försök. Vänta innan du försöker igen.")
            )
        user = authenticate(username=name, password=form.validated_data["password"])
        if not isinstance(user, User):
            raise exceptions.AuthenticationFailed(
                _("Användarnamnet eller lösenordet stämmer inte.")
            )
        tried.succeeded()
        row, token = ApiToken.objects.create(user, name=_("Inloggning"), scopes=Scope.values)
        prefix = settings.REST_KNOX["AUTH_HEADER_PREFIX"]
        answer = {"authorization": f"{prefix} {token}", "expiry": row.expiry}
        return Response(TokenSerializer(answer).data)


class LogoutView(KnoxLogoutView):
    """Give the token back; it is of no use any more."""

    scope_area = ANY_TOKEN
    authentication_classes = (ActorTokenAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, **_kwargs: Any) -> Response:
        super().post(request)
        return Response(status=204)


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    unit = serializers.CharField(
        source="care_unit.hsa_id", default=None, allow_null=True, help_text="HSA-id"
    )
    place = serializers.CharField()
    current = serializers.BooleanField(help_text="Det som anropet görs i.")

    class Meta:
        model = Assignment
        fields = ("id", "role", "region", "unit", "place", "starts_at", "ends_at", "current")


class MeSerializer(serializers.Serializer[Any]):
    login = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    region = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_null=True, help_text="HSA-id")
    place = serializers.CharField()
    assignments = AssignmentSerializer(many=True)
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Nyckelns behörigheter")


class MeView(APIView):
    """Who the token belongs to, in which role it acts and which others it may name.

    Another of the assignments is chosen per call, by its id in ``X-Vardlots-Assignment``.
    """

    scope_area = ANY_TOKEN

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        actor, token = actor_of(request), request.auth
        unit = CareUnit.objects.filter(pk=actor.care_unit_id or 0).first()
        assignments = getattr(request._request, "assignments", ())
        for assignment in assignments:
            assignment.current = assignment.pk == actor.assignment_id
        return Response(
            {
                "login": request.user.get_username(),
                "name": actor.name,
                "role": actor.role,
                "region": actor.region,
                "unit": unit.hsa_id if unit else None,
                "place": actor.place,
                "assignments": AssignmentSerializer(assignments, many=True).data,
                "scopes": token.scopes if isinstance(token, ApiToken) else Scope.values,
            }
        )


class RegionSerializer(serializers.ModelSerializer[Region]):
    class Meta:
        model = Region
        fields = ("code", "name", "guarantee_days", "child_psychiatry_days")


class RegionList(generics.ListAPIView[Region]):
    """The 21 regions with the guarantee they promise."""

    scope_area = "places"
    queryset = Region.objects.order_by("code")
    serializer_class = RegionSerializer
    pagination_class = None


class CareUnitSerializer(serializers.ModelSerializer[CareUnit]):
    provider = serializers.CharField(source="provider.name", read_only=True)

    class Meta:
        model = CareUnit
        fields = (
            *("hsa_id", "name", "provider", "region", "municipality", "sends", "receives"),
            *("languages", "equipment"),
        )


class CareUnitList(generics.ListAPIView[CareUnit]):
    """Care units that send or receive patients."""

    scope_area = "places"
    queryset = CareUnit.objects.filter(is_active=True).select_related("provider")
    serializer_class = CareUnitSerializer
    filterset_fields = ("region", "sends", "receives")
