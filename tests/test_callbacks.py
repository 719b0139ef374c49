"""`runs import-callback`: queued rows settled by what the vendor called back, and by no more."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ozodial.callbacks import read_callbacks, read_failed
from ozodial.errors import FileError
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, Result, sheet
from tests.harness.audit import ledger_rows

Fields = dict[str, object]

BAD = "9855501555,Dee\n9755502555,Zoe\n"


@pytest.fixture
def queued(desk: Desk) -> Desk:
    """A desk with run 1: 500 + 102 rows queued, of which the vendor did not take the last two."""
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(600) + BAD), "--api", "v4", "--json")
    assert done.summary["queued"] == 602
    return desk


def transactions(desk: Desk, run: int = 1) -> list[str]:
    shown = desk.run("runs", "show", str(run), "--json")
    return [str(batch["transaction_id"]) for batch in shown.of("batch")]


def called_back(desk: Desk, vendor: ServerHandle, transaction: str, **changed: object) -> Fields:
    """The vendor's own callback, with some of it changed (None: left out)."""
    answer = httpx.get(f"{vendor.url}/sandbox/callbacks/{transaction}", trust_env=False).json()
    data = {name: value for name, value in (answer["data"] | changed).items() if value is not None}
    return {"data": data}


def failed_file(desk: Desk, vendor: ServerHandle, transaction: str) -> Path:
    url = f"{vendor.url}/sandbox/callbacks/{transaction}/failed.csv"
    return desk.write("failed.csv", httpx.get(url, trust_env=False).text)


def save(desk: Desk, value: object, name: str = "callback.json") -> Path:
    return desk.write(name, json.dumps(value))


def run_import(desk: Desk, *files: Path, run: int = 1) -> Result:
    return desk.run("runs", "import-callback", str(run), *files, "--json")


def states(desk: Desk) -> dict[str, int]:
    return dict(Counter(row.state for row in ledger_rows(desk.ledger)))


def test_transactions_are_kept_and_shown(queued: Desk, vendor: ServerHandle) -> None:
    known = [found.transaction for found in vendor.sandbox.transactions]
    assert transactions(queued) == known
    text = queued.run("runs", "show", "1").out
    assert all(transaction in text for transaction in known)


def test_a_callback_without_failures_accepts_its_rows_alone(
    queued: Desk, vendor: ServerHandle
) -> None:
    file = save(queued, called_back(queued, vendor, transactions(queued)[0]))
    done = run_import(queued, file)
    assert done.code == 0, done.err
    assert states(queued) == {"accepted": 500, "queued": 102}
    assert (done.summary["accepted"], done.summary["queued"]) == (500, 102)
    assert len(done.of("row")) == 500
    assert {row["message"] for row in done.of("row")} == {"File Successfully uploaded."}


def test_failed_rows_need_their_file(queued: Desk, vendor: ServerHandle) -> None:
    last = transactions(queued)[1]
    callback = save(queued, called_back(queued, vendor, last))
    done = queued.run("runs", "import-callback", "1", callback)
    assert done.code == 0
    assert "2 were not processed, 0 of them are known" in done.err
    assert "failed.csv" in done.err
    assert states(queued) == {"queued": 602}

    done = run_import(queued, callback, failed_file(queued, vendor, last))
    assert done.code == 4
    assert states(queued) == {"queued": 500, "accepted": 100, "rejected": 1, "duplicate": 1}
    told = [row for row in done.of("row") if row["status"] != "accepted"]
    assert [(row["phone"], row["reason"], row["message"]) for row in told] == [
        ("9855501555", "dnd", "PhoneNumber Added is a DND Number"),
        ("9755502555", "exists_at_vendor", "Number Already Exist"),
    ]


def test_in_any_order_and_twice(queued: Desk, vendor: ServerHandle) -> None:
    last = transactions(queued)[1]
    failed = failed_file(queued, vendor, last)
    assert run_import(queued, failed).code == 4
    assert states(queued) == {"queued": 600, "rejected": 1, "duplicate": 1}
    both = [called_back(queued, vendor, transaction) for transaction in transactions(queued)]
    callbacks = save(queued, both)
    assert run_import(queued, callbacks).code == 4
    settled = ledger_rows(queued.ledger)
    assert states(queued) == {"accepted": 600, "rejected": 1, "duplicate": 1}
    again = queued.run("runs", "import-callback", "1", callbacks, failed)
    assert (again.code, again.out.count("600 accepted")) == (4, 1)
    assert "nothing new" in again.err
    assert ledger_rows(queued.ledger) == settled


def test_a_rejected_lead_may_be_sent_again_and_an_accepted_one_not(
    queued: Desk, vendor: ServerHandle
) -> None:
    files = [
        save(queued, called_back(queued, vendor, transaction), f"{transaction}.json")
        for transaction in transactions(queued)
    ]
    run_import(queued, *files, failed_file(queued, vendor, transactions(queued)[1]))
    again = queued.run("bulk-add", queued.write("more.csv", sheet(2) + BAD), "--json")
    counts = {
        state: again.summary[state] for state in ("already_accepted", "rejected", "duplicate")
    }
    assert counts == {"already_accepted": 2, "rejected": 1, "duplicate": 1}


DOUBTS: list[tuple[Fields, str]] = [
    ({"totalNoUploaded": 499, "numbersProcessed": 499}, "500 were sent, and it counts 499"),
    ({"numbersProcessed": 499}, "500 were sent"),
    ({"numbersProcessed": None}, "doesn't count"),
    ({"totalNoUploaded": "many"}, "doesn't count"),
    ({"status": "Failed"}, "'Failed'"),
    ({"message": "File partly uploaded."}, "'File partly uploaded.'"),
    ({"status": None, "message": None}, "''"),
]


def test_a_callback_that_leaves_a_doubt_settles_nothing(queued: Desk, vendor: ServerHandle) -> None:
    first = transactions(queued)[0]
    for changed, said in DOUBTS:
        file = save(queued, called_back(queued, vendor, first, **changed))
        done = queued.run("runs", "import-callback", "1", file)
        assert done.code == 0
        assert f"500 rows of transaction {first} stay queued" in done.err
        assert said in done.err, changed
    assert states(queued) == {"queued": 602}


def test_none_processed_rejects_all(queued: Desk, vendor: ServerHandle) -> None:
    none = {"numbersProcessed": 0, "numbersNotProcessed": 500, "status": "Failed"}
    words = {"message": "Campaign not found"}
    body = called_back(queued, vendor, transactions(queued)[0], **none, **words)
    done = run_import(queued, save(queued, body))
    assert done.code == 4
    assert states(queued) == {"rejected": 500, "queued": 102}
    assert {row["message"] for row in done.of("row")} == {"Campaign not found"}


BODY: Fields = {
    "data": {
        "totalNoUploaded": 500,
        "numbersProcessed": 498,
        "numbersNotProcessed": 2,
        "failedFilePath": "https://host/failed.csv",
        "transactionId": "t-1",
        "status": "Success",
        "message": "File Successfully uploaded.",
    }
}


def in_capitals(body: Fields) -> str:
    data = body["data"]
    assert isinstance(data, dict)
    return json.dumps({name.upper(): str(value) for name, value in data.items()})


@pytest.mark.parametrize(
    "form",
    [
        json.dumps,
        lambda body: json.dumps(body["data"]),
        lambda body: json.dumps([body]),
        lambda body: json.dumps({"data": json.dumps(body["data"])}),
        lambda body: json.dumps({"data": [body["data"]], "status": "x"}),
        lambda body: "\ufeff" + json.dumps(body, indent=2),
        in_capitals,
    ],
)
def test_any_form_of_it_is_read(tmp_path: Path, form: Callable[[Fields], str]) -> None:
    file = tmp_path / "callback.json"
    file.write_text(form(BODY), encoding="utf-8")
    (found,) = read_callbacks(str(file))
    assert (found.transaction, found.total, found.processed, found.failed) == ("t-1", 500, 498, 2)
    assert found.succeeded


def test_callbacks_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "callbacks.jsonl"
    file.write_text(f"{json.dumps(BODY)}\n{json.dumps(BODY)}\n", encoding="utf-8")
    assert len(read_callbacks(str(file))) == 2


# --- wrong files ---


WRONG_FILES = [
    ('{"status": "success"}', "is not a callback of V4"),
    ("[]", "is not a callback of V4"),
    ("{broken", "is not valid JSON"),
    ('{"transactionId": "another"}', "which no run of this ledger has"),
    ("Mobile,Reason\n9999999999,DND\n", "has no phone of this run"),
    ("", "is empty"),
]


def test_a_wrong_file_is_one_sentence(queued: Desk) -> None:
    before = ledger_rows(queued.ledger)
    for content, said in WRONG_FILES:
        done = queued.run("runs", "import-callback", "1", queued.write("x.json", content))
        assert done.code == 3, content
        assert said in done.err
        assert done.err.startswith("error: x.json ")
        assert "Traceback" not in done.err
    assert ledger_rows(queued.ledger) == before


def test_a_file_that_is_not_there(queued: Desk) -> None:
    done = queued.run("runs", "import-callback", "1", "nowhere.json")
    assert (done.code, done.err) == (
        3,
        "error: nowhere.json can't be read: No such file or directory.\n",
    )


def test_one_wrong_file_of_two_changes_nothing(queued: Desk, vendor: ServerHandle) -> None:
    good = save(queued, called_back(queued, vendor, transactions(queued)[0]))
    wrong = queued.write("wrong.json", '{"transactionId": "another"}')
    assert run_import(queued, good, wrong).code == 3
    assert states(queued) == {"queued": 602}


def test_another_runs_callback_names_that_run(queued: Desk, vendor: ServerHandle) -> None:
    queued.run("bulk-add", queued.write("b.csv", sheet(3, start=900)), "--api", "v4")
    file = save(queued, called_back(queued, vendor, transactions(queued, 2)[0]))
    done = queued.run("runs", "import-callback", "1", file)
    assert done.code == 3
    assert "is run 2's, not run 1's" in done.err
    assert "next: ozodial runs import-callback 2 callback.json" in done.err


def test_a_run_that_nobody_calls_back_about(desk: Desk) -> None:
    desk.run("bulk-add", desk.write("leads.csv", sheet(2)))
    file = save(desk, {"transactionId": "x"})
    done = desk.run("runs", "import-callback", "1", file)
    assert done.code == 2
    assert "only V4 calls back" in done.err


def test_a_removed_row_stays_removed(queued: Desk, vendor: ServerHandle) -> None:
    body = called_back(queued, vendor, transactions(queued)[0])
    assert queued.run("undo", "1", "--yes").code == 0
    assert states(queued) == {"removed": 602}
    assert run_import(queued, save(queued, body)).code == 0
    assert states(queued) == {"removed": 602}


# --- files of failed rows ---


@pytest.mark.parametrize("phone", ["9800100007", "+919800100007", "919800100007", "09800100007"])
@pytest.mark.parametrize("form", ["csv", "semicolons", "xlsx", "no header"])
def test_any_sheet_of_failed_rows_is_read(tmp_path: Path, phone: str, form: str) -> None:
    file = tmp_path / "failed.xlsx"
    if form == "xlsx":
        book = xlsxwriter.Workbook(str(file))
        page = book.add_worksheet()
        for row, cells in enumerate(
            (("No", "Number", "Remarks"), ("1", phone, "Number Already Exist"))
        ):
            for column, cell in enumerate(cells):
                page.write_string(row, column, cell)
        book.close()
    else:
        file = tmp_path / "failed.csv"
        header = "" if form == "no header" else "No,Number,Remarks\n"
        text = f"{header}1,{phone},Number Already Exist\n"
        file.write_text(text.replace(",", ";") if form == "semicolons" else text)
    failures = read_failed(str(file), {"9800100000", "9800100007"}).failures
    assert list(failures) == ["9800100007"]
    known = failures["9800100007"]
    assert known.state == ("rejected" if form == "no header" else "duplicate")
    assert known.message == (
        "the vendor did not process it" if form == "no header" else "Number Already Exist"
    )


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["data", "transactionId", "status", "message", "totalNoUploaded"]),
                inner,
            )
        ),
    ).map(json.dumps)
)
def test_bent_callbacks_never_crash(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "bent.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        callbacks = read_callbacks(str(file))
    except FileError:
        return
    assert all(callback.transaction for callback in callbacks)


def test_the_callbacks_words_stand_with_their_request(queued: Desk, vendor: ServerHandle) -> None:
    run_import(queued, save(queued, called_back(queued, vendor, transactions(queued)[0])))
    connection = sqlite3.connect(queued.ledger)
    words = connection.execute("SELECT message FROM batches ORDER BY number").fetchall()
    connection.close()
    assert words == [("File Successfully uploaded.",), ("queued successfully",)]
