from django.urls import path

from referral.views import access_review, case, codes, intake, log_extract, worklist

urlpatterns = [
    path("cases/", worklist.worklist_page, name="worklist"),
    path("cases/search/", worklist.search, name="case-search"),
    path("cases/<str:number>/", case.case_page, name="case"),
    path("cases/<str:number>/form/", intake.case_form, name="case-form"),
    path("cases/<str:number>/matching/", case.matching_page, name="case-matching"),
    path("cases/<str:number>/offer/<int:line_id>/", case.offer_page, name="case-offer"),
    path("cases/<str:number>/do/<slug:verb>/", case.case_action, name="case-action"),
    path(
        "cases/<str:number>/certificates/<int:serial>/", case.certificate_file, name="certificate"
    ),
    path("cases/<str:number>/attachments/<int:pk>/", case.attachment_file, name="attachment"),
    path("codes/procedures/", codes.procedures, name="suggest-procedures"),
    path("codes/diagnoses/", codes.diagnoses, name="suggest-diagnoses"),
    path("forms/", intake.forms_page, name="forms"),
    path("forms/new/", intake.form_new, name="form-new"),
    path("forms/<int:pk>/", intake.form_page, name="form"),
    path("forms/<int:pk>/draft/", intake.form_draft, name="form-draft"),
    path("forms/<int:pk>/attachments/", intake.form_attachments, name="form-attachments"),
    path(
        "forms/<int:pk>/attachments/<int:attachment>/remove/",
        intake.form_attachment_remove,
        name="form-attachment-remove",
    ),
    path("forms/<int:pk>/discard/", intake.form_discard, name="form-discard"),
    path("access-review/", access_review.review_page, name="access-review"),
    path("access-review/rows/<int:pk>/", access_review.row_page, name="access-review-row"),
    path("access-review/samples/", access_review.samples_page, name="access-samples"),
    path("access-review/samples/<int:pk>/", access_review.sample_page, name="access-sample"),
    path("access-review/extracts/", log_extract.order_page, name="log-extracts"),
    path("access-review/extracts/<str:number>/", log_extract.extract_page, name="log-extract"),
    path(
        "access-review/extracts/<str:number>/<str:kind>/",
        log_extract.extract_file,
        name="log-extract-file",
    ),
]
