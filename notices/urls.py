from django.urls import path

from notices import views
from notices.callbacks import views as callbacks
from notices.campaigns import result_views as campaign_results
from notices.campaigns import views as campaigns
from notices.printing import views as printing
from notices.texts import views as texts

urlpatterns = [
    path("gateway/1177/callback/", views.gateway_callback, name="gateway-callback"),
    path("cases/<str:number>/notices/", views.case_notices, name="case-notices"),
    path("cases/<str:number>/new-answer-code/", views.case_new_code, name="case-new-code"),
    path("notices/undelivered/", views.undelivered_page, name="undelivered"),
    path("notices/undelivered/again/", views.undelivered_again, name="undelivered-again"),
    path("letters/<int:pk>/send-again/", printing.return_again, name="return-again"),
    path("letters/<int:pk>/done/", printing.return_done, name="return-done"),
    path("operations/staff-mail/", views.staff_mail, name="staff-mail"),
    path("operations/staff-mail/<int:pk>/", views.staff_mail_again, name="staff-mail-again"),
    path("operations/print-reports/", printing.print_reports, name="print-reports"),
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
    path("campaigns/", campaigns.campaigns_page, name="campaigns"),
    path("campaigns/new/", campaigns.campaign_new, name="campaign-new"),
    path("campaigns/count/", campaigns.campaign_count, name="campaign-count"),
    path("campaigns/<int:pk>/", campaigns.campaign_page, name="campaign"),
    path("campaigns/<int:pk>/edit/", campaigns.campaign_edit, name="campaign-edit"),
    path("campaigns/<int:pk>/do/<slug:verb>/", campaigns.campaign_do, name="campaign-do"),
    path("campaigns/<int:pk>/sample/", campaigns.campaign_sample, name="campaign-sample"),
    path(
        "campaigns/<int:pk>/sample.pdf",
        campaigns.campaign_sample_letter,
        name="campaign-sample-letter",
    ),
    path("campaigns/<int:pk>/result/", campaign_results.campaign_result, name="campaign-result"),
    path(
        "campaigns/<int:pk>/result.<str:kind>", campaign_results.campaign_file, name="campaign-file"
    ),
    path(
        "campaigns/<int:pk>/patients/",
        campaign_results.campaign_recipients,
        name="campaign-recipients",
    ),
    path(
        "campaigns/<int:pk>/answers/<str:number>/",
        campaign_results.campaign_answer,
        name="campaign-answer",
    ),
]
