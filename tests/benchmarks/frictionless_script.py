"""The same columns checked by frictionless: `PYTHON frictionless_script.py FILE`.

It validates and neither normalises nor de-duplicates; it knows nothing of ozodial.
"""

import sys
from pathlib import Path

from frictionless import Schema  # type: ignore[import-not-found,unused-ignore]
from frictionless.resources import TableResource  # type: ignore[import-not-found,unused-ignore]

PHONE = r"[\s(]*(\+|00)?[\d\s()/.E+-]{7,}"
FIELDS = [
    {"name": "Lead Id", "type": "string"},
    {"name": "Customer Name", "type": "string"},
    {"name": "Mobile No.", "type": "string", "constraints": {"required": True, "pattern": PHONE}},
    {"name": "Call Time", "type": "string", "constraints": {"required": True}},
    {"name": "City", "type": "string"},
    {"name": "Priority", "type": "integer", "constraints": {"minimum": 1, "maximum": 99}},
]


def main(path: str) -> None:
    """Validate every row; say how many were read, and how many cells are wrong."""
    file = Path(path)
    schema = Schema.from_descriptor({"fields": FIELDS})
    leads = TableResource(path=file.name, basepath=str(file.parent), schema=schema)
    # By default it stops at the 1,000th error.
    report = leads.validate(limit_errors=1_000_000_000)
    if report.errors:
        sys.exit(f"could not be read: {report.errors}")
    (task,) = report.tasks
    sys.stdout.write(f"{task.stats['rows']} rows, {len(task.errors)} errors\n")


if __name__ == "__main__":
    main(sys.argv[1])
