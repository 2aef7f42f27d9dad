from django.urls import path, re_path

from organisations.administration.views import invitation, operations, people, places

urlpatterns = [
    path("assignment/", people.choose, name="choose-assignment"),
    path("invitation/<str:token>/", invitation.invitation_page, name="invitation"),
    path("people/", people.people_page, name="people"),
    path("people/invite/", people.invite_page, name="invite"),
    path("people/client/", places.client_new_page, name="client-new"),
    path("people/<int:pk>/", people.person_page, name="person"),
    path("people/<int:pk>/edit/", people.person_edit_page, name="person-edit"),
    path("people/<int:pk>/give/", people.give_page, name="assignment-give"),
    path("people/<int:pk>/shut-off/", people.shut_off_page, name="person-shut-off"),
    path("people/<int:pk>/let-in/", people.let_in, name="person-let-in"),
    path("people/assignments/<int:pk>/end/", people.end_page, name="assignment-end"),
    path("people/invitations/<int:pk>/again/", people.invitation_again, name="invitation-again"),
    path(
        "people/invitations/<int:pk>/withdraw/",
        people.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path("units/", places.units_page, name="units"),
    path("units/new/", places.unit_new_page, name="unit-new"),
    path("units/<int:pk>/", places.unit_page, name="unit"),
    path("units/<int:pk>/close/", places.unit_close, name="unit-close"),
    path("units/<int:pk>/open/", places.unit_open, name="unit-open"),
    path("history/", people.history_page, name="history"),
    path("operations/", operations.operations_page, name="operations"),
    path("operations/deliveries/<int:pk>/", operations.delivery_retry, name="delivery-retry"),
    path("notice-days/", places.notice_days_page, name="notice-days"),
    path("notice-days/prices/", places.notice_prices_page, name="notice-prices"),
    path("patient-facts/", places.patient_facts_page, name="patient-facts"),
    path("regions/", places.regions_page, name="regions"),
    re_path(r"^regions/(?P<code>[0-9]{2})/$", places.region_page, name="region"),
    path("providers/", places.providers_page, name="providers"),
    path("providers/new/", places.provider_page, name="provider-new"),
    path("providers/<int:pk>/", places.provider_page, name="provider"),
]
