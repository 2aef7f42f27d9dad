"""A monthly file of a million contacts judged, beside csv.reader alone on the same file.

``python -m benchmarks.waiting_times --rows 1000000``. Each reading is a process of its own, so that
its peak memory is its own too; a tenth of the file comes first, and shows how memory grows with the
rows. Ends with an error if the verdict, the counts or the duplicates are not what was put in.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MUNICIPALITIES = ("1480", "1482", "1484", "1487", "1490", "1499", "1407", "1415")
AREAS = ("311", "321", "211", "511", "521", "301", "361", "431")
ACTIVITIES = ("NGB49", "NFB49", "CJE20", "JKA21", "UJD02", "UKC02")
DUPLICATES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--read", choices=("bare", "judged"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read, arguments.file)
        return
    with tempfile.TemporaryDirectory(prefix="vardlots-waiting-times-") as folder:
        for rows in (arguments.rows // 10, arguments.rows):
            file = Path(folder) / f"{rows}.csv"
            write(file, rows)
            measure(file, rows)


def write(file: Path, rows: int) -> None:
    """Two of three are done, the others wait; a few ids come twice."""
    names = list(made_row(0))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(names)
        for n in range(rows - DUPLICATES):
            writer.writerow(made_row(n).values())
        for n in range(DUPLICATES):
            writer.writerow(made_row(n).values())


def made_row(n: int) -> dict[str, str]:
    done, phase = n % 3 > 0, str(1 + n % 5)
    emergency = done and phase == "5"
    decided = f"2026-{1 + n % 9:02d}-{1 + n % 28:02d}T{8 + n % 9:02d}:{n % 60:02d}"
    start = f"2026-10-{1 + n % 28:02d}T{8 + n % 9:02d}:{n * 7 % 60:02d}"
    return {
        "rapportmanad": "2026-10",
        "status": "G" if done else "V",
        "beslut": decided,
        "start": start if done else "EA",
        "medicinskt_maldatum": f"2026-11-{1 + n % 28:02d}" if phase == "4" or n % 2 else "",
        "akut_start": start if emergency else "EA",
        "akut_bedomning": start if emergency else "EA",
        "akut_avslut": start if emergency else "EA",
        "fodelsear": str(1930 + n % 90),
        "kon": str(1 + n % 2),
        "kommunkod": MUNICIPALITIES[n % 8],
        "listning": f"SE2321000131-E{n % 2000:09d}",
        "diagnos": ("M17.1 I10.9" if n % 4 else "J35.0") if done else "EA",
        "diagnostyp": ("H B" if n % 4 else "H") if done else "EA",
        "yttre_orsak": "EA",
        "atgard": "NGB49 NFB49" if done else "EA",
        "huvudman": "14",
        "vardgivare": "2321000131",
        "vardenhet1": f"SE2321000131-S{n % 20:03d}",
        "vardenhet1_namn": f"Sjukhus {n % 20}",
        "vardenhet2": f"SE2321000131-K{n % 300:05d}",
        "vardenhet3": "",
        "vardkontakt_id": f"14-{n:x}-{n % 97:02d}",
        "vardgaranti": "1" if phase in "12" else "2",
        "fas": phase,
        "mvo": AREAS[n % 8],
        "aktivitet": ACTIVITIES[n % 6] if phase in "23" else "EA",
        "bokningssatt": str(1 + n % 3),
        "vardkontakt": str(1 + n % 5),
        "yrkesgrupp": f"L{n % 9}",
        "avvikelse": "1" if n % 11 == 0 else "EA",
        "remittenttyp": "1",
        "akutverksamhet": "1" if emergency else "EA",
        "avbruten_vard": "2" if emergency else "EA",
        "remissid": f"R{n:x}",
        "remittent": f"SE2321000131-E{n % 2000:09d}",
    }


def measure(file: Path, rows: int) -> None:
    load = os.getloadavg()[0]
    bare, judged = run("bare", file), run("judged", file)
    print(
        f"{rows} rows, {file.stat().st_size / 2**20:.0f} MB, load {load:.1f} and"
        f" {os.getloadavg()[0]:.1f}"
    )
    for name, found in (("csv.reader alone", bare), ("judged", judged)):
        print(
            f"  {name}: {found['seconds']:.1f} s, busy {found['busy']:.1f} s,"
            f" peak memory {found['memory']} MB"
        )
    print(f"  ratio {judged['busy'] / bare['busy']:.1f} of busy time")
    told = judged["told"]
    # Those that come twice are the only errors; some KVÅ codes have no name in the product.
    if told["rows"] != rows or told["errors"] != DUPLICATES or told["lacks"] != 0:
        print(f"WRONG: {told}")
        sys.exit(1)


def run(how: str, file: Path) -> dict:
    command = [sys.executable, "-m", "benchmarks.waiting_times", "--read", how, "--file", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict = json.loads(done.stdout)
    return found


def read(how: str, file: Path) -> None:
    told = {}
    if how == "judged":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
    began, busy = time.perf_counter(), time.process_time()
    if how == "bare":
        with file.open(encoding="utf-8", newline="") as lines:
            for _row in csv.reader(lines, delimiter=";"):
                pass
    else:
        from statistics.waiting_times.report import as_json
        from statistics.waiting_times.validation import validate

        with file.open("rb") as binary:
            outcome = as_json(validate(binary))
        told = {name: outcome[name] for name in ("rows", "errors", "lacks", "remarks", "faults")}
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "busy": time.process_time() - busy,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "told": told,
            }
        )
    )


if __name__ == "__main__":
    main()
