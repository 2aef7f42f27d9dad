from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "notices"
    verbose_name = _("Meddelanden")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from notices import caps, consumers, extract, letters, retention, sending, signs, threads
        from notices.campaigns.extract import answers_of_case
        from notices.campaigns.sweep import run_campaigns
        from notices.own_page.session import end_visit_at_login
        from notices.printing import reports
        from notices.texts.offers import OfferWriter
        from organisations.administration.signs import register_signs
        from organisations.sweeps import register_sweep
        from referral.patient_extract import register_part
        from referral.texts import register_writer

        user_logged_in.connect(end_visit_at_login, dispatch_uid="own page")
        consumers.subscribe_all()
        register_writer(OfferWriter())
        retention.register_all()
        register_signs("notices", signs.signs)
        register_part("notices", extract.part_of)
        register_part("printed_letters", extract.letters_of_case)
        register_part("call_backs", extract.calls_of_case)
        register_part("campaigns", answers_of_case)
        register_sweep("inbox", sending.send_inbox_notices)
        register_sweep("email", sending.send_emails)
        register_sweep("staff_mail", caps.send_staff_mail)
        register_sweep("letters", letters.deliver_letters)
        register_sweep("print_reports", reports.read_reports)
        register_sweep("threads", threads.ask_about_threads)
        register_sweep("campaigns", run_campaigns)
