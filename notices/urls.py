from django.urls import path

from notices import views

urlpatterns = [
    path("gateway/1177/callback/", views.gateway_callback, name="gateway-callback"),
    path("cases/<str:number>/notices/", views.case_notices, name="case-notices"),
    path("notices/undelivered/", views.undelivered_page, name="undelivered"),
    path("notices/<int:pk>/send-again/", views.notice_send_again, name="notice-send-again"),
    path("notices/<int:pk>/as-letter/", views.notice_as_letter, name="notice-as-letter"),
]
