"""What the print provider tells: no letter is lost, no file stops the work, returns are tasks."""

import csv
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from notices.due import working_hours_before
from notices.gateways.printing import MAX_REPORT_BYTES
from notices.models import LetterBatch, Notice, PrintedLetter, PrintReport
from notices.printing import reports
from notices.printing.reports import COLUMNS, read_reports, take_report
from notices.printing.selectors import returned, returned_of, unacknowledged
from notices.printing.services import finish_return, send_returned_again
from notices.selectors import undelivered
from notices.signs import signs
from notices.simulator.printing import PrintShop
from organisations.errors import WrongState
from organisations.sweeps import run_due
from referral import services
from referral.models import CaseLog, CaseState
from tests.factories import MadeCase, RegionFactory, make_case, navigator_actor, stockholm, user_of

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
DUE = NOW + 14 * DAY
HEAD = ";".join(COLUMNS)


def printed(n: int = 1, *, at=DUE, **overrides) -> list[MadeCase]:
    """So many letters, handed over."""
    mades = [make_case(CaseState.OFFERED, now=at - 14 * DAY, **overrides) for _ in range(n)]
    run_due(now=at - 14 * DAY)
    run_due(now=at)
    return mades


def letters() -> list[PrintedLetter]:
    return list(PrintedLetter.objects.select_related("notice", "batch", "case"))


def row(letter: PrintedLetter, status: str, reason: str = "", on: str = "2026-03-25") -> str:
    return f"{letter.file};{letter.sha256};{status};{reason};{on}"


def told(*rows: str, name: str = "", now=DUE + DAY) -> PrintReport:
    name = name or f"ack-{LetterBatch.objects.get()}.csv"
    return take_report(name, "\r\n".join([HEAD, *rows]).encode(), now=now)


@pytest.fixture
def shop(tmp_path, drop, gateway) -> PrintShop:
    return PrintShop(tmp_path / "print.sqlite3", drop, gateway.faults)


def test_file_and_checksum_of_each_letter_are_kept_as_they_were_delivered(gateway, drop):
    printed(3)
    [folder] = drop.glob("brev-*")
    with (folder / "index.csv").open(newline="") as file:
        index = {one["file"]: one["sha256"] for one in csv.DictReader(file, delimiter=";")}
    assert {letter.file: letter.sha256 for letter in letters()} == index
    for letter in letters():
        assert hashlib.sha256((folder / letter.file).read_bytes()).hexdigest() == letter.sha256


def test_the_way_of_a_letter_is_followed(gateway):
    printed()
    [letter] = letters()
    for status in ("accepted", "printed", "posted"):
        report = told(row(letter, status))
        letter.refresh_from_db()
        assert (letter.state, report.taken, report.fault_count) == (status, 1, 0)
    assert LetterBatch.objects.get().told_at == DUE + DAY


def test_rows_that_come_late_do_not_lead_back(gateway):
    printed()
    [letter] = letters()
    assert told(row(letter, "posted"), row(letter, "accepted"), row(letter, "printed")).taken == 3
    letter.refresh_from_db()
    assert letter.state == "posted"


def test_a_file_counts_once_and_a_longer_one_adds_its_rows(gateway):
    printed(2)
    one, two = letters()
    first = told(row(one, "returned", "Adressaten okänd"))
    assert told(row(one, "returned", "Adressaten okänd")).pk == first.pk
    assert told(row(one, "returned", "Adressaten okänd"), row(two, "posted")).pk != first.pk
    assert CaseLog.objects.filter(verb="letter_returned").count() == 1
    assert sorted(letter.state for letter in letters()) == ["posted", "returned"]


def test_a_rejected_letter_is_given_up_with_its_reason_for_a_person_to_send_again(gateway, drop):
    [made] = printed()
    [letter] = letters()
    told(row(letter, "rejected", "Fel marginal"))
    notice = Notice.objects.get(pk=letter.notice_id)
    assert (notice.state, "Fel marginal" in notice.last_error) == ("failed", True)
    assert list(undelivered(made.navigator)) == [notice]
    assert made.case.log.filter(verb="notice_failed").count() == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("other.pdf;{sha};posted;;2026-03-25", "finns inte i leveransen"),
        ("{file};" + "0" * 64 + ";posted;;2026-03-25", "Kontrollsumman"),
        ("{file};{sha};eaten;;2026-03-25", "Okänd status"),
        ("{file};{sha};handed;;2026-03-25", "Okänd status"),
        ("{file};{sha};posted;;25/3", "ÅÅÅÅ-MM-DD"),
        ("{file};{sha};posted;;2036-03-25", "orimligt"),
        ("{file};{sha};posted;;0001-01-01", "orimligt"),
        ("{file};{sha};posted", "5 fält"),
        ('{file};{sha};"posted;;2026-03-25', "går inte att läsa"),
        ("\x00", "5 fält"),
    ],
)
def test_a_row_that_cannot_be_taken_is_reported_by_its_number_and_stops_no_other(
    gateway, line, why
):
    printed(2)
    one, two = letters()
    bad = line.replace("{file}", one.file).replace("{sha}", one.sha256)
    report = told(bad, row(two, "posted"))
    assert (report.taken, report.fault_count, report.faults[0]["row"]) == (1, 1, 2)
    assert why in report.faults[0]["why"]
    two.refresh_from_db()
    assert two.state == "posted"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"file;sha256\r\n", b"x" * (MAX_REPORT_BYTES + 1), b"\n" * 60_000],
)
def test_a_file_that_cannot_be_read_is_reported_whole(gateway, content):
    printed()
    report = take_report(f"ack-{LetterBatch.objects.get()}.csv", content, now=DUE)
    assert (report.taken, report.fault_count, report.faults[0]["row"]) == (0, 1, 0)


@pytest.mark.parametrize(
    "name",
    ["ack-brev-20260324-99999999.csv", "list.csv", "ack-brev-20260324-" + "9" * 18 + ".csv"],
)
def test_a_file_about_no_delivery_is_reported(gateway, name):
    printed()
    assert "finns inte" in told(name=name).faults[0]["why"]


@given(
    content=st.one_of(
        st.binary(max_size=400),
        st.text(max_size=400).map(lambda text: f"{HEAD}\n{text}".encode(errors="replace")),
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "?"]),
                st.sampled_from(["a", "b", "?"]),
                st.sampled_from(["accepted", "printed", "posted", "rejected", "returned", "x"]),
                st.text(max_size=30),
                st.sampled_from(["2026-03-25", "2099-01-01", ""]),
            ),
            max_size=12,
        ),
    ),
    name=st.text(max_size=20),
)
def test_whatever_a_file_holds_nothing_breaks_and_no_letter_is_lost(gateway, content, name):
    printed_now = letters() or (printed(2) and letters())
    before = {letter.file for letter in printed_now}
    PrintReport.objects.all().delete()
    PrintedLetter.objects.update(state="handed")
    Notice.objects.filter(channel="letter").update(state="sent")
    if isinstance(content, list):
        by_name = dict(zip("ab", printed_now, strict=False))
        lines = [
            ";".join(
                [
                    getattr(by_name.get(file), "file", "?"),
                    getattr(by_name.get(sha), "sha256", "?"),
                    status,
                    reason,
                    day,
                ]
            )
            for file, sha, status, reason, day in content
        ]
        content = "\n".join([HEAD, *lines]).encode(errors="replace")
    report = take_report(f"ack-{printed_now[0].batch}.csv", content, now=DUE + DAY)
    take_report(f"{name}.csv", content, now=DUE + DAY)
    assert report.taken + report.fault_count >= 0
    assert {letter.file for letter in letters()} == before
    for letter in letters():
        wanted = {"rejected": "failed", "returned": "returned"}.get(letter.state, "sent")
        assert letter.notice.state == wanted


def test_a_file_that_lies_in_the_folder_is_read_and_put_away(gateway, drop):
    printed()
    [letter] = letters()
    folder = drop / "reports"
    folder.mkdir()
    (folder / f"ack-{letter.batch}.csv").write_text(f"{HEAD}\n{row(letter, 'posted')}\n")
    (folder / ".ack-unfinished.csv").write_text("half")
    assert read_reports(now=DUE + DAY) == 1
    assert read_reports(now=DUE + DAY) == 0
    assert [path.name for path in folder.glob("*.csv")] == [".ack-unfinished.csv"]
    assert (folder / "read" / f"ack-{letter.batch}.csv").exists()


def test_a_crash_after_reading_and_before_putting_away_takes_nothing_twice(
    gateway, drop, monkeypatch
):
    printed()
    [letter] = letters()
    (drop / "reports").mkdir()
    (drop / "reports" / f"ack-{letter.batch}.csv").write_text(
        f"{HEAD}\n{row(letter, 'returned', 'Okänd')}\n"
    )
    plain = reports.PrintReport.objects

    with monkeypatch.context() as patch:

        def killed(*_arguments):
            raise SystemExit("killed")

        patch.setattr("notices.gateways.printing.PrintDrop.put_away", killed)
        with pytest.raises(SystemExit):
            read_reports(now=DUE + DAY)
    assert read_reports(now=DUE + 2 * DAY) == 0
    assert plain.count() == 1
    assert CaseLog.objects.filter(verb="letter_returned").count() == 1


# Deliveries that nobody acknowledges


def test_a_delivery_without_acknowledgement_is_a_fault_after_two_working_days(gateway, settings):
    printed()  # Tuesday 24 March 2026 at nine
    assert list(unacknowledged(now=stockholm(2026, 3, 26, 8, 59))) == []
    late = stockholm(2026, 3, 26, 9)
    assert unacknowledged(now=late).count() == 1
    assert [sign.is_well for sign in signs(late) if "utan kvittens" in sign.text] == [False]
    settings.PRINT_REPORT_HOURS = 0
    assert list(unacknowledged(now=late)) == []
    settings.PRINT_REPORT_HOURS = 16
    told(row(letters()[0], "accepted"))
    assert list(unacknowledged(now=late)) == []


@pytest.mark.parametrize(
    ("now", "hours", "expected"),
    [
        (stockholm(2026, 3, 25, 12), 4, stockholm(2026, 3, 25, 8)),
        (stockholm(2026, 3, 25, 12), 5, stockholm(2026, 3, 24, 15)),
        (stockholm(2026, 3, 25, 22), 8, stockholm(2026, 3, 25, 8)),
        (stockholm(2026, 3, 23, 9), 2, stockholm(2026, 3, 20, 15)),  # over a weekend
        (stockholm(2026, 4, 7, 9), 2, stockholm(2026, 4, 2, 15)),  # over Easter
    ],
)
def test_working_hours_are_those_of_working_days(now, hours, expected):
    assert working_hours_before(now, hours) == expected


# Returned post


def came_back(**overrides) -> tuple[MadeCase, PrintedLetter]:
    [made] = printed(**overrides)
    letter = letters()[-1]
    on = (timezone.localdate(letter.batch.created_at) + DAY).isoformat()
    report = take_report(
        f"ack-{letter.batch}.csv",
        f"{HEAD}\n{row(letter, 'returned', 'Adressaten okänd', on)}".encode(),
        now=letter.batch.created_at + 2 * DAY,
    )
    assert report.fault_count == 0, report.faults
    letter.refresh_from_db()
    return made, letter


def test_a_letter_that_came_back_is_a_task_and_stands_on_the_timeline(gateway):
    made, letter = came_back()
    assert list(returned(made.navigator)) == [letter]
    assert list(returned(navigator_actor(RegionFactory(code="14")))) == []
    assert letter.notice.state == "returned"
    [entry] = made.case.log.filter(verb="letter_returned")
    assert "Adressaten okänd" in entry.why


def test_sent_again_it_goes_in_a_new_delivery_and_the_task_is_done(gateway, drop):
    made, letter = came_back()
    now = DUE + 2 * DAY
    send_returned_again(letter, actor=made.navigator, now=now)
    assert list(returned(made.navigator)) == []
    run_due(now=now)
    assert len(list(drop.glob("brev-*"))) == 2
    again = PrintedLetter.objects.exclude(pk=letter.pk).get()
    assert (again.notice_id, again.state, again.notice.state) == (
        letter.notice_id,
        "handed",
        "sent",
    )
    # Of the first delivery nothing more is to be learnt.
    told(row(letter, "returned", "en gång till"), name=f"ack-{letter.batch}.csv", now=now)
    again.notice.refresh_from_db()
    assert again.notice.state == "sent"


def test_a_return_is_handled_once(gateway):
    made, letter = came_back()
    finish_return(letter, actor=made.navigator, now=DUE + 2 * DAY)
    for act in (finish_return, send_returned_again):
        with pytest.raises(WrongState):
            act(letter, actor=made.navigator, now=DUE + 2 * DAY)


def test_a_letter_that_is_needed_no_more_is_not_sent_again_and_stays_a_task(gateway):
    made, letter = came_back()
    services.withdraw_offer(made.offer, why="Fel", actor=made.navigator, now=DUE + DAY)
    with pytest.raises(WrongState):
        send_returned_again(letter, actor=made.navigator, now=DUE + 2 * DAY)
    assert list(returned(made.navigator)) == [letter]


def test_later_letters_are_not_stopped_but_warned_of(gateway, client: Client):
    made, _letter = came_back(at=timezone.now())
    assert returned_of(made.navigator, made.patient).count() == 1
    client.force_login(user_of(made.navigator))
    page = client.get(reverse("case-notices", args=[made.case.number])).content.decode()
    assert "kom i retur" in page
    assert "Nya brev går ändå" in page


def test_the_page_lets_a_navigator_send_it_again_or_be_done(gateway, client: Client):
    made, letter = came_back(at=timezone.now())
    client.force_login(user_of(made.navigator))
    page = client.get(reverse("undelivered")).content.decode()
    assert "Returpost" in page
    assert "Adressaten okänd" in page
    assert made.patient.full_name not in page
    answer = client.post(reverse("return-again", args=[letter.pk]), follow=True)
    assert "skickas på nytt" in answer.content.decode()
    answer = client.post(reverse("return-done", args=[letter.pk]), follow=True)
    assert "redan omhändertagen" in answer.content.decode()


def test_a_protected_identity_is_said_to_have_no_address_here(gateway, client: Client):
    made, _letter = came_back(at=timezone.now(), protection="skyddadFolkbokforing")
    client.force_login(user_of(made.navigator))
    page = client.get(reverse("undelivered")).content.decode()
    assert "bara hos Skatteverket" in page


# The simulated print provider


def test_the_simulated_printer_takes_each_delivery_once_and_acknowledges_it(gateway, drop, shop):
    printed(3)
    for _time in range(3):
        shop.look()
    assert sorted(entry["file"] for entry in shop.letters()) == [one.file for one in letters()]
    assert read_reports(now=timezone.now()) == 1
    assert {letter.state for letter in letters()} == {"posted"}
    shop.look()
    assert read_reports(now=timezone.now()) == 0


def test_the_simulated_printer_rejects_what_does_not_fit_its_checksum(gateway, drop, shop):
    printed(2)
    one, _two = letters()
    (drop / str(one.batch) / one.file).write_bytes(b"other")
    shop.look()
    read_reports(now=timezone.now())
    assert [letter.state for letter in letters()] == ["rejected", "posted"]


def test_told_to_it_rejects_returns_and_forgets_to_acknowledge(gateway, drop, shop):
    gateway.faults.change({"reject_letters": 1, "return_letters": 1})
    printed(3)
    shop.look()
    read_reports(now=timezone.now())
    assert [letter.state for letter in letters()] == ["rejected", "returned", "posted"]
    gateway.faults.change({"lose_acknowledgements": 1})
    printed(1)
    shop.look()
    assert read_reports(now=timezone.now()) == 0


def test_a_posted_letter_can_be_sent_back_by_a_person(gateway, drop, shop):
    printed()
    shop.look()
    read_reports(now=timezone.now())
    [entry] = shop.letters()
    assert shop.send_back(entry["id"], "Adressaten okänd")
    assert not shop.send_back(entry["id"], "Adressaten okänd")
    shop.look()
    assert read_reports(now=timezone.now()) == 1
    assert letters()[0].state == "returned"


def test_what_a_reason_holds_is_shown_without_signs_and_numbers_of_people(gateway):
    printed()
    [letter] = letters()
    told(row(letter, "returned", "<b>19121212-1212</b>\x1b[31m"))
    letter.refresh_from_db()
    assert "1212-1212" not in letter.reason
    assert not set(letter.reason) & set("<>\x1b")


def test_the_folder_of_reports_may_be_missing(gateway, drop):
    assert not Path(drop / "reports").exists()
    assert read_reports(now=NOW) == 0
