from django.urls import include, path

from organisations import views

urlpatterns = [
    path("", views.start, name="start"),
    path("", include("organisations.login.urls")),
    path("no-assignment/", views.no_assignment, name="no-assignment"),
    path("", include("organisations.administration.urls")),
]
