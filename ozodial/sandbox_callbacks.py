"""What the vendor calls back about a V4 upload: a transaction comes in, JSON and a file go out.

Source: the reference page of AddCampaignBulkDataV4; it shows the fields, and nothing of the file
that `failedFilePath` names, so that file's columns are ours.
"""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from ozodial.sandbox_memory import Payload, Transaction
from ozodial.sandbox_texts import Text

REASON = "Reason"


def callback(transaction: Transaction, failed_path: str, timezone: str) -> Payload:
    """The body of the callback; `failed_path` is where `failed_rows` can be had."""
    moment = datetime.fromtimestamp(transaction.time, ZoneInfo(timezone))
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S")
    failed = len(transaction.failed)
    return {
        "data": {
            "totalNoUploaded": transaction.rows,
            "numbersProcessed": transaction.rows - failed,
            "numbersNotProcessed": failed,
            "failedFilePath": failed_path if failed else "",
            "transactionId": transaction.transaction,
            "status": "Success",
            "message": str(Text.UPLOADED),
            "startDateTime": stamp,
            "endDateTime": stamp,
        }
    }


def failed_rows(transaction: Transaction) -> str:
    """The rows that were not taken, as CSV, with the reason of each."""
    columns = list(dict.fromkeys(name for fields, _ in transaction.failed for name in fields))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*columns, REASON])
    for fields, reason in transaction.failed:
        writer.writerow([*(fields.get(name, "") for name in columns), reason])
    return text.getvalue()
