"""Letters swept, set and left in the drop folder with their index, beside Typst alone.

``python -m benchmarks.letters --letters 27425``. The library's share is measured in the same run
and by a process for each core: the same letters set and dropped, a part before and a part after
the sweep, with nothing read, written or recorded. What lies in the folder afterwards is checked
file by file.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.database import own_database
from benchmarks.worklist import fill

SUBJECT = "Erbjudande om vård hos annan vårdgivare"
# As long as an offer is, and another for each patient.
BODY = """Du väntar på vård vid Klinik {n}: primär totalprotes i knäled. Väntan där är lång. Därför
erbjuder vi dig att få vården hos en annan vårdgivare. Det är frivilligt.

Var: Granhöjdens ortopedi, Uppsala
Förväntad väntan där: omkring {there} dagar
Förväntad väntan om du stannar kvar i kön hemma: omkring {home} dagar

Det kostar dig inget extra. Du betalar samma patientavgift som hemma och regionen betalar
resten.

Vården: Granhöjdens ortopedi gör en egen bedömning före behandlingen. De berättar hur den går
till, hur du förbereder dig och om du kan åka hem samma dag.

Resan: Du har rätt till ersättning för sjukresa. Kontakta Vårdlotsen innan du reser så hjälper
vi dig att boka. Du kan ta med en ledsagare. Ledsagarens resa ersätts också. Behöver du
övernatta ordnar vi det tillsammans med dig.

Om du tackar ja: Granhöjdens ortopedi hör av sig med en tid. Efter behandlingen tar din
hemklinik över igen. Blir något inte som du väntat dig efter vården, ring 018-12 {there} 56
eller oss.

Om du tackar nej: Du står kvar i kön hos Klinik {n}. Tackar du nej till vård som erbjuds i tid
gäller vårdgarantin inte längre för detta beslut.

Svara senast 7 april 2026. Du kan svara i 1177, ringa oss eller svara på brevet.

Vänliga hälsningar
Klinik {n}"""
# What stands on several lines above is one.
PARAGRAPHS = "\n\n".join(" ".join(part.split()) for part in BODY.split("\n\n"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=27_425)
    parser.add_argument("--alone", type=int, default=4_000, help="letters set by Typst alone")
    parser.add_argument("--kind", default="offer_letter", help="booked_time has no answer slip")
    arguments = parser.parse_args()
    with own_database() as folder:
        from organisations.acting import Product, act_as

        fill(arguments.letters)
        act_as(Product("benchmark"))
        give_addresses()
        make_letters(arguments.kind)
        measure(arguments.letters, alone=arguments.alone, drop=folder / "print")


def give_addresses() -> None:
    """Only the application can write what it encrypts."""
    from django.db import connection

    from organisations.sealing import seal
    from patients.models import Patient

    def sealed(column: str, value: str) -> str:
        return seal(value, context=f"patients_patient.{column}")

    rows = [
        (
            sealed("street", f"Ängsvägen {1 + n % 200}{'ABC'[n % 3]}"),
            sealed("postal_code", f"{10_000 + n % 80_000}"),
            sealed("town", "Västerås"),
            pk,
        )
        for n, pk in enumerate(Patient.objects.order_by("pk").values_list("pk", flat=True))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE patients_patient SET street = %s, postal_code = %s, town = %s WHERE id = %s",
            rows,
        )


def make_letters(kind: str) -> None:
    """A letter in each case, due now."""
    from django.utils import timezone

    from notices.models import Notice
    from referral.models import Case

    now = timezone.now()
    Notice.objects.bulk_create(
        (
            Notice(
                case=case,
                kind=kind,
                channel=Notice.Channel.LETTER,
                sender_id=case.sending_unit_id,
                subject=SUBJECT,
                body=PARAGRAPHS.format(n=n % 20, there=10 + n % 80, home=100 + n % 900),
                idempotency_key=f"{case.number}/benchmark",
                created_at=now,
                due_at=now,
            )
            for n, case in enumerate(Case.objects.order_by("pk"))
        ),
        batch_size=1_000,
    )


def measure(number: int, *, alone: int, drop: Path) -> None:
    from django.conf import settings
    from django.utils import timezone

    from notices.letters import deliver_letters
    from organisations.access import as_product

    settings.PRINT_DROP = drop
    texts = texts_of(alone)
    library = [set_alone(texts[: alone // 2])]
    with memory_seen(drop, number) as seen:
        began, busy = time.perf_counter(), processor_seconds()
        with as_product("benchmark"):
            while deliver_letters(now=timezone.now()):
                pass
        took, busy = time.perf_counter() - began, processor_seconds() - busy
    library.append(set_alone(texts[alone // 2 :]))
    each, each_busy = (sum(part) / 2 for part in zip(*library, strict=True))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{number} letters in {took:.1f} s: {took / number * 1e3:.2f} ms each, busy {busy:.1f} s")
    print(f"Typst alone: {each * 1e3:.2f} ms each, busy {each_busy * number:.1f} s for all")
    print(f"ratio {took / number / each:.2f}, busy {busy / number / each_busy:.2f}")
    print("memory, MB at share of the work:", ", ".join(f"{at:.0%} {mb:.0f}" for at, mb in seen))
    check(number, drop)
    shutil.rmtree(drop)


def processor_seconds() -> float:
    """Of this process and of those it began that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def texts_of(number: int) -> list[str]:
    from notices.models import Notice
    from notices.pdf import letter_data

    letters = Notice.objects.select_related("case__patient", "case__region", "case__sending_unit")
    return [json.dumps(letter_data(letter), ensure_ascii=False) for letter in letters[:number]]


def set_alone(texts: list[str]) -> tuple[float, float]:
    """Seconds for each letter by the clock, set by as many processes, and of their processors."""
    began = time.perf_counter()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.typst_alone"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"RAYON_NUM_THREADS": "1"},
        )
        for _one in range(os.cpu_count() or 1)
    ]
    parts = ["\n".join(texts[n :: len(processes)]).encode() for n in range(len(processes))]
    with ThreadPoolExecutor(len(processes)) as threads:
        told = threads.map(lambda one, part: one.communicate(part)[0], processes, parts)
        busy = sum(float(seconds) for seconds in told)
    return (time.perf_counter() - began) / len(texts), busy / len(texts)


@contextmanager
def memory_seen(drop: Path, number: int) -> Iterator[list[tuple[float, float]]]:
    """Resident memory of this process at each tenth of the work, as (share, MB).

    By the deliveries that are there: to count their files each second would be work of its own.
    """
    import psutil

    from notices.gateways.printing import PrintDrop

    seen: list[tuple[float, float]] = []
    over = threading.Event()

    def watch() -> None:
        process = psutil.Process()
        while not over.wait(1):
            share = len(list(drop.glob("brev-*"))) * PrintDrop.most_letters / number
            if share >= (len(seen) + 1) / 10:
                seen.append((share, process.memory_info().rss / 1e6))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def check(number: int, drop: Path) -> None:
    """Every letter once, in an index that tells the truth of its file, and recorded."""
    from notices.models import Notice
    from referral.models import CaseLog

    rows: list[dict[str, Any]] = []
    for folder in sorted(drop.iterdir()):
        with (folder / "index.csv").open(newline="") as file:
            index = list(csv.DictReader(file, delimiter=";"))
        for row in index:
            content = (folder / row["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]
        assert len(list(folder.iterdir())) == len(index) + 1, folder
        rows += index
    assert len({row["case_number"] for row in rows}) == len(rows) == number
    assert Notice.objects.filter(state=Notice.State.SENT, attempts=1).count() == number
    assert CaseLog.objects.filter(verb="letter_sent").values("case").distinct().count() == number
    pages = {row["pages"] for row in rows}
    print(f"{len(rows)} files as their index says, each letter once, pages {', '.join(pages)}")


if __name__ == "__main__":
    main()
