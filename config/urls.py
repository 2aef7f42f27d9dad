"""All addresses. English in code and URL, Swedish on the page."""

from django.urls import include, path

urlpatterns = [
    path("", include("config.monitoring.urls")),
    path("", include("organisations.urls")),
    path("", include("referral.urls")),
    path("", include("contracts.urls")),
    path("", include("capacity.urls")),
    path("", include("notices.urls")),
    path("", include("notices.own_page.urls")),
    path("", include("statistics.urls")),
    path("api/", include("config.api")),
]
