from django.urls import include, path

from organisations import views

urlpatterns = [
    path("", views.start, name="start"),
    path("login/", views.Login.as_view(), name="login"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("no-assignment/", views.no_assignment, name="no-assignment"),
    path("healthz", views.healthz, name="healthz"),
    path("", include("organisations.administration.urls")),
]
