"""What is shown for a form that did not come from our own page, or from one that is too old."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from notices.own_page.views import form_refused


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Patients stay on their own pages, in their language."""
    if request.path.startswith(reverse("own-page")):
        return form_refused(request)
    return render(request, "403_csrf.html", status=403)
