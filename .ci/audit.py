"""Ask the advisory service for known holes in the locked packages: ``.ci/audit.py LOCK``.

Fails when a package has one that is not in ``ACCEPTED``. Where the service is not reached, as on a
network with a package index alone, it says so and does not fail: that is no word that all is well.
The hashes in the lock were checked when the packages were installed (``--require-hashes``).
"""

import json
import subprocess  # nosec B404 # starts pip-audit
import sys

# Advisory: why it does not concern the product. One a line, gone with the next version.
ACCEPTED: dict[str, str] = {}


def main(lock: str) -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--disable-pip"]
    options = ["--require-hashes", "--format", "json", "--progress-spinner", "off"]
    asked = subprocess.run([*command, *options], capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603 # our own arguments
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _not_reached(lock, asked.stderr.strip().splitlines()[-1:])
    told = [package for package in packages if "vulns" in package]
    if not told:
        return _not_reached(lock, [f"{len(packages)} packages unknown to it"])
    holes = [
        (package["name"], package["version"], hole["id"], ", ".join(hole["fix_versions"]))
        for package in told
        for hole in package["vulns"]
        if hole["id"] not in ACCEPTED
    ]
    for name, version, advisory, mended in holes:
        print(f"{name} {version}: {advisory}, mended in {mended or 'no version yet'}")
    print(f"{len(told)} of {len(packages)} packages of {lock} looked up; {len(holes)} known holes.")
    return 1 if holes else 0


def _not_reached(lock: str, why: list[str]) -> int:
    print(f"ADVISORIES NOT REACHED for {lock}: {' '.join(why) or 'no answer'}.", file=sys.stderr)
    print(
        "Nothing is known of holes in the packages; run `make audit` where the service is reached."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
