from django.urls import path

from notices import views
from notices.callbacks import views as callbacks
from notices.texts import views as texts

urlpatterns = [
    path("gateway/1177/callback/", views.gateway_callback, name="gateway-callback"),
    path("cases/<str:number>/notices/", views.case_notices, name="case-notices"),
    path("cases/<str:number>/new-answer-code/", views.case_new_code, name="case-new-code"),
    path("notices/undelivered/", views.undelivered_page, name="undelivered"),
    path("notices/<int:pk>/send-again/", views.notice_send_again, name="notice-send-again"),
    path("texts/", texts.texts_page, name="texts"),
    path("texts/new/", texts.text_new, name="text-new"),
    path("texts/compare/", texts.texts_compared, name="texts-compared"),
    path("texts/versions/<int:pk>/", texts.text_version, name="text-version"),
    path("texts/<str:kind>/<str:language>/<str:ease>/<str:variant>/", texts.text_page, name="text"),
    path("phone-times/", callbacks.phone_times, name="phone-times"),
    path("phone-times/new/", callbacks.phone_times_new, name="phone-times-new"),
    path("phone-times/close/", callbacks.phone_times_close, name="phone-times-close"),
    path(
        "phone-times/<int:pk>/take-over/",
        callbacks.phone_time_take_over,
        name="phone-time-take-over",
    ),
    path("calls/today/", callbacks.calls_today, name="calls-today"),
    path("calls/<int:pk>/<slug:ending>/", callbacks.call_end, name="call-end"),
    path("cases/<str:number>/calls/", callbacks.case_calls, name="case-calls"),
    path("cases/<str:number>/calls/book/", callbacks.case_call_book, name="case-call-book"),
    path("notices/<int:pk>/as-letter/", views.notice_as_letter, name="notice-as-letter"),
]
