"""Letters: on day 14 and not on day 13, each once, in a folder that is whole or not there."""

import csv
import errno
import hashlib
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from notices import letter_files, letters
from notices.letter_files import INDEX_COLUMNS
from notices.letters import deliver_letters
from notices.models import LetterBatch, Notice
from notices.selectors import undelivered
from organisations.sweeps import run_due
from referral import services
from referral.models import AnswerChannel, CaseLog, CaseState
from tests.concurrency import together
from tests.factories import STOCKHOLM, MadeCase, RegionFactory, make_case, stockholm
from tests.organisations.test_typesetters import typesetting_processes

pytestmark = pytest.mark.django_db

NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
DUE = stockholm(2026, 3, 24)


def offered(now: datetime = NOW, **overrides) -> MadeCase:
    return make_case(CaseState.OFFERED, now=now, **overrides)


def folders(drop: Path) -> list[Path]:
    return sorted(drop.glob("brev-*"))


def index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def letter() -> Notice:
    return Notice.objects.get(channel=Notice.Channel.LETTER)


def in_sweden(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=STOCKHOLM)


@pytest.mark.parametrize(
    "sent",
    [
        stockholm(2026, 5, 5, 9),
        stockholm(2026, 5, 5, 23, 59),
        stockholm(2026, 5, 5, 0, 1),  # still the day before in UTC
        stockholm(2026, 3, 18, 9),  # summer time begins on 29 March
        stockholm(2026, 10, 20, 9),  # summer time ends on 25 October
        stockholm(2026, 12, 24, 9),
        stockholm(2028, 2, 17, 9),  # over a leap day
    ],
)
def test_letter_goes_out_on_day_14_not_on_day_13(gateway, drop, sent):
    offered(sent)
    run_due(now=sent)
    last_moment = in_sweden(sent.date() + 13 * DAY, time(23, 59, 59))
    run_due(now=last_moment)
    assert folders(drop) == []

    run_due(now=in_sweden(sent.date() + 14 * DAY, time(0)))
    assert len(folders(drop)) == 1


@pytest.mark.parametrize(
    ("sent", "last_moment", "due"),
    [  # day 14 is the Sunday of either change, and Easter Sunday
        (stockholm(2026, 3, 15, 9), stockholm(2026, 3, 29, 23, 59), stockholm(2026, 3, 30)),
        (stockholm(2026, 10, 11, 9), stockholm(2026, 10, 25, 23, 59), stockholm(2026, 10, 26)),
        (stockholm(2027, 3, 14, 9), stockholm(2027, 3, 29, 23, 59), stockholm(2027, 3, 30)),
    ],
)
def test_a_letter_due_on_a_day_of_rest_goes_on_the_first_day_that_is_none(
    gateway, drop, sent, last_moment, due
):
    offered(sent)
    run_due(now=sent)
    run_due(now=last_moment)
    assert folders(drop) == []
    run_due(now=due)
    assert len(folders(drop)) == 1


def test_the_region_decides_after_how_many_days(gateway, drop):
    offered(region=RegionFactory(letter_after_days=10))
    run_due(now=NOW)
    assert letter().due_at == stockholm(2026, 3, 20)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_answered_offer_gets_no_letter(gateway, drop, accepted):
    made = offered()
    run_due(now=NOW)
    services.answer_offer(
        made.offer,
        accepted=accepted,
        channel=AnswerChannel.PHONE,
        actor=made.navigator,
        now=DUE - DAY,
        reason="travel",
    )
    run_due(now=DUE)
    assert (folders(drop), letter().state) == ([], Notice.State.CANCELLED)


def test_a_withdrawn_offer_gets_no_letter(gateway, drop):
    made = offered()
    run_due(now=NOW)
    services.withdraw_offer(made.offer, why="Fel", actor=made.navigator, now=NOW)
    run_due(now=DUE)
    assert folders(drop) == []


def test_an_answer_whose_event_has_not_arrived_stops_the_letter_too(drop, deliver):
    made = offered()
    deliver(NOW)
    services.withdraw_offer(made.offer, why="Fel", actor=made.navigator, now=DUE)
    deliver_letters(now=DUE)
    assert (folders(drop), letter().state) == ([], Notice.State.CANCELLED)


def test_days_without_a_sweep_lose_no_letter(gateway, drop):
    offered()
    run_due(now=DUE + 3 * DAY)  # the first run of all, three days late
    assert len(folders(drop)) == 1


# The folder


def delivered(drop: Path, *mades: MadeCase) -> Path:
    run_due(now=DUE)
    [folder] = folders(drop)
    return folder


def test_the_index_names_every_file_with_its_checksum(gateway, drop):
    mades = [offered() for _ in range(3)]
    folder = delivered(drop)
    rows = index(folder)
    assert [row["case_number"] for row in rows] == [made.case.number for made in mades]
    for row in rows:
        content = (folder / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        pages = PdfReader(BytesIO(content)).pages
        assert row["pages"] == str(len(pages))
        assert row["case_number"] in pages[0].extract_text()
    named = {row["file"] for row in rows} | {"index.csv"}
    assert {path.name for path in folder.iterdir()} == named
    assert tuple(rows[0]) == INDEX_COLUMNS


def test_a_file_is_named_by_the_case_number_and_nothing_about_the_patient(gateway, drop):
    made = offered()
    [row] = index(delivered(drop))
    assert row["file"] == f"{made.case.number}_{letter().pk}.pdf"


def test_a_protected_identity_has_no_name_in_the_index_and_goes_by_the_tax_agency(gateway, drop):
    offered(protection="skyddadFolkbokforing")
    [row] = index(delivered(drop))
    assert (row["recipient"], row["delivery"]) == ("", "skatteverket")


def test_others_are_named_and_go_by_post(gateway, drop):
    made = offered(family_name="Provsson")
    [row] = index(delivered(drop))
    assert (row["recipient"], row["delivery"]) == (made.patient.full_name, "post")


def test_a_delivered_letter_is_sent_and_stands_on_the_timeline(gateway, drop):
    made = offered()
    folder = delivered(drop)
    assert (letter().state, letter().sent_at, letter().receipt) == ("sent", DUE, folder.name)
    assert CaseLog.objects.filter(case=made.case, verb="letter_sent", at=DUE).count() == 1


def test_a_letter_goes_once(gateway, drop):
    offered()
    for days in range(5):
        run_due(now=DUE + days * DAY)
    assert len(folders(drop)) == 1


@pytest.mark.django_db(transaction=True)
def test_more_letters_than_fit_one_batch_go_in_several_folders(drop, deliver):
    now = timezone.now()
    for _ in range(5):
        offered(now)
    deliver(now)
    while deliver_letters(now=now + 14 * DAY, limit=2):
        pass
    assert sorted(len(index(folder)) for folder in folders(drop)) == [1, 2, 2]
    rows = [row for folder in folders(drop) for row in index(folder)]
    assert len({row["case_number"] for row in rows}) == 5


# What breaks


def test_a_crash_between_folder_and_commit_makes_no_second_folder(gateway, drop, monkeypatch):
    made = offered()
    plain = letters.record_notices

    def killed(*args, **options):
        raise SystemExit("killed")

    monkeypatch.setattr(letters, "record_notices", killed)
    with pytest.raises(SystemExit):
        run_due(now=DUE)
    [folder] = folders(drop)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert letter().state == Notice.State.BATCHED

    monkeypatch.setattr(letters, "record_notices", plain)
    run_due(now=DUE + timedelta(minutes=1))
    assert folders(drop) == [folder]
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert letter().state == Notice.State.SENT
    assert CaseLog.objects.filter(case=made.case, verb="letter_sent").count() == 1


def test_a_crash_while_writing_leaves_nothing_for_the_printer_to_take(gateway, drop, monkeypatch):
    offered()
    second = offered()
    plain = letter_files.set_letter

    def killed(data, **options):
        if data["number"] == second.case.number:
            raise SystemExit("killed")
        return plain(data, **options)

    monkeypatch.setattr(letter_files, "set_letter", killed)
    with pytest.raises(SystemExit):
        run_due(now=DUE)
    assert folders(drop) == []

    monkeypatch.setattr(letter_files, "set_letter", plain)
    run_due(now=DUE + timedelta(minutes=1))
    [folder] = folders(drop)
    assert len(index(folder)) == 2
    assert not list(drop.glob(".brev-*"))


def test_the_folder_is_named_by_the_day_in_sweden_and_its_batch():
    for midnight in (DUE, DUE.astimezone(UTC)):
        batch = LetterBatch(pk=7, created_at=midnight)
        assert batch.folder_name == "brev-20260324-00000007"


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_once_deliver_each_letter_once(drop, deliver):
    now = timezone.now()
    mades = [offered(now) for _ in range(6)]
    deliver(now)
    late = now + 14 * DAY
    results = together([lambda: deliver_letters(now=late, limit=2)] * 4)
    while deliver_letters(now=late):
        pass
    assert not any(isinstance(result, Exception) for result in results)
    rows = [row for folder in folders(drop) for row in index(folder)]
    assert sorted(row["case_number"] for row in rows) == sorted(m.case.number for m in mades)
    assert set(Notice.objects.filter(channel="letter").values_list("state", flat=True)) == {"sent"}
    assert CaseLog.objects.filter(verb="letter_sent").count() == 6


def test_a_letter_that_cannot_be_made_fails_alone(settings, tmp_path, monkeypatch):
    settings.PRINT_DROP = tmp_path
    bad, good = offered(), offered()
    run_due(now=NOW)
    real = letter_files.set_letter

    def breaking(data, **options):
        if data["number"] == bad.case.number:
            raise ValueError("no such glyph")
        return real(data, **options)

    monkeypatch.setattr(letter_files, "set_letter", breaking)
    run_due(now=DUE)
    states = {n.case_id: n.state for n in Notice.objects.filter(kind="offer_letter")}
    assert states == {bad.case.pk: Notice.State.FAILED, good.case.pk: Notice.State.SENT}
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("*.pdf"))) == 1


def test_an_offer_fits_one_sheet_with_its_answer_slip_on_the_back(gateway, drop):
    offered(home_wait_days=300)
    run_due(now=DUE)
    [folder] = folders(drop)
    [row] = index(folder)
    assert row["pages"] == "2"
    first, second = (page.extract_text() for page in PdfReader(folder / row["file"]).pages)
    assert ("Svarskod" in first, "Svarskod" in second) == (False, True)
    assert "Vänliga hälsningar" in first


def test_many_letters_are_set_by_processes_and_the_odd_one_fails_alone(gateway, drop):
    mades = [offered() for _ in range(letter_files.MOST_SET_HERE + 2)]
    run_due(now=NOW)
    bad = mades[5].case
    Notice.objects.filter(kind="offer_letter", case=bad).update(body="Hej \U00013000")
    run_due(now=DUE)
    [folder] = folders(drop)
    rows = index(folder)
    assert {row["case_number"] for row in rows} == {m.case.number for m in mades} - {bad.number}
    for row in rows:
        content = (folder / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(PdfReader(BytesIO(content)).pages) == int(row["pages"])
    failed = Notice.objects.get(kind="offer_letter", case=bad)
    assert (failed.state, "U+13000" in failed.last_error) == (Notice.State.FAILED, True)


def test_a_process_that_is_lost_fails_no_letter_but_tries_them_all_again(
    gateway, drop, monkeypatch
):
    for _ in range(letter_files.MOST_SET_HERE + 1):
        offered()
    run_due(now=NOW)
    real = letter_files.set_letter
    done = []

    def killing(data, **options):
        done.append(data)
        if len(done) == 5:
            for process in typesetting_processes():
                process.kill()
        return real(data, **options)

    monkeypatch.setattr(letter_files, "set_letter", killing)
    with pytest.raises(OSError, match=r"lost|Broken pipe"):
        run_due(now=DUE)
    assert folders(drop) == []

    run_due(now=DUE + timedelta(minutes=1))
    assert len(index(folders(drop)[0])) == letter_files.MOST_SET_HERE + 1
    assert set(Notice.objects.filter(channel="letter").values_list("state", flat=True)) == {"sent"}


def test_a_letter_that_is_too_long_waits_for_a_person_and_says_why(gateway, drop):
    made = offered()
    run_due(now=NOW)
    Notice.objects.filter(kind="offer_letter").update(body="Ett långt stycke.\n\n" * 400)
    run_due(now=DUE)
    assert folders(drop) == []
    assert (letter().state, letter().batch) == (Notice.State.FAILED, None)
    assert "sidor" in letter().last_error
    assert list(undelivered(made.navigator)) == [letter()]
    assert CaseLog.objects.get(case=made.case, verb="notice_failed").why == letter().last_error


def test_an_answer_while_the_letters_are_written_keeps_the_letter_back(gateway, drop, monkeypatch):
    answered, waiting = offered(), offered()
    run_due(now=NOW)
    real = letter_files.write_letters

    def slowly(*args, **options):
        written = real(*args, **options)
        services.withdraw_offer(answered.offer, why="Fel", actor=answered.navigator, now=DUE)
        return written

    monkeypatch.setattr(letters, "write_letters", slowly)
    run_due(now=DUE)
    [folder] = folders(drop)
    assert [row["case_number"] for row in index(folder)] == [waiting.case.number]
    assert len(list(folder.glob("*.pdf"))) == 1
    states = {n.case_id: n.state for n in Notice.objects.filter(kind="offer_letter")}
    assert states == {answered.case.pk: "cancelled", waiting.case.pk: "sent"}


def test_a_disk_that_is_full_fails_no_letter_but_tries_them_all_again(gateway, drop, monkeypatch):
    offered()
    real = letter_files.write_file

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(letter_files, "write_file", full)
    with pytest.raises(OSError, match="No space"):
        run_due(now=DUE)
    assert (folders(drop), letter().state) == ([], Notice.State.BATCHED)

    monkeypatch.setattr(letter_files, "write_file", real)
    run_due(now=DUE + timedelta(minutes=1))
    assert len(folders(drop)) == 1
    assert letter().state == Notice.State.SENT


def test_a_letter_that_a_folder_from_before_a_crash_lacks_goes_with_the_next(
    gateway, drop, monkeypatch
):
    mades = [offered() for _ in range(2)]
    monkeypatch.setattr(letters, "_record", raising(SystemExit("killed")))
    with pytest.raises(SystemExit):
        run_due(now=DUE)
    [folder] = folders(drop)
    kept = (folder / "index.csv").read_text().splitlines(keepends=True)[:2]
    (folder / "index.csv").write_text("".join(kept))

    monkeypatch.undo()
    run_due(now=DUE + timedelta(minutes=1))
    rows = [row["case_number"] for folder in folders(drop) for row in index(folder)]
    assert sorted(rows) == sorted(made.case.number for made in mades)
    assert len(folders(drop)) == 2


def test_many_letters_are_recorded_by_as_many_queries_as_one(drop, deliver):
    def queries(number: int) -> int:
        for _ in range(number):
            offered()
        deliver(NOW)
        with CaptureQueriesContext(connection) as seen:
            deliver_letters(now=DUE)
        return len(seen)

    assert queries(1) == queries(6)


def raising(error: BaseException):
    def act(*args, **options):
        raise error

    return act
