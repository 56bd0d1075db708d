"""Reads a server's SQLite file, as an accountant would: the rows, not what the server says."""
import os
import shutil
import sqlite3
import tempfile

JOB_STATES = ["DRAFT", "RUNNING", "PAUSED", "COMPLETED", "STOPPED"]
ROUND_STATES = ["OPEN", "CLOSING", "PUBLISHED", "FAILED"]
ASSIGNMENT_STATES = ["ASSIGNED", "DONE", "REJECTED", "GONE"]
RECEIPT_ENDS = ["OPEN", "COUNTED", "DISCARDED"]


class Books:
    def __init__(self, state_dir):
        self.state_dir = state_dir

    def rows(self, query, *values):
        """Of a server that runs, or does not."""
        uri = f"file:{os.path.join(self.state_dir, 'fedserver.db')}?mode=ro"
        return self._read(uri, query, values)

    def rows_on_disk(self, query, *values):
        """As kill -9 left them: of a copy, so that the next server finds the same."""
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("", "-wal"):
                source = os.path.join(self.state_dir, "fedserver.db" + ending)
                if os.path.exists(source):
                    shutil.copy(source, os.path.join(folder, "fedserver.db" + ending))
            return self._read(f"file:{folder}/fedserver.db", query, values)

    @staticmethod
    def _read(uri, query, values):
        connection = sqlite3.connect(uri, uri=True, timeout=30)
        try:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def job_state(self, job):
        found = self.rows("SELECT state FROM jobs WHERE job = ?", job)
        return JOB_STATES[found[0]["state"]] if found else None

    def rounds(self, job):
        return self.rows("SELECT * FROM rounds WHERE job = ? ORDER BY round", job)

    def receipts(self, job):
        return self.rows("SELECT * FROM receipts WHERE job = ? ORDER BY assignment", job)

    def assignments(self, job):
        """With the device's name."""
        return self.rows("SELECT assignments.*, clients.name FROM assignments LEFT JOIN clients "
                         "USING (client) WHERE job = ? ORDER BY assignment", job)

    def digests(self, job):
        """Of the model's file, version by version."""
        return [row["digest"] for row in self.rows(
            "SELECT digest FROM model_files WHERE job = ? AND name = 'model' ORDER BY version",
            job)]

    def audit(self, job):
        """What must hold of a job that has ended, whatever happened on the way. A list of what
        does not."""
        wrong = []
        rounds = {row["round"]: row for row in self.rounds(job)}
        models = self.rows("SELECT * FROM models WHERE job = ? ORDER BY version", job)
        made = {row["made_by"]: row["version"] for row in models if row["made_by"] != 0}
        if [row["version"] for row in models] != list(range(len(models))):
            wrong.append(f"versions are not contiguous: {[row['version'] for row in models]}")
        if len(made) != len(models) - 1:
            wrong.append("two versions of one round")
        for number, row in rounds.items():
            state = ROUND_STATES[row["state"]]
            if state not in ("PUBLISHED", "FAILED"):
                wrong.append(f"round {number} is {state}")
            if (state == "PUBLISHED") != (number in made):
                wrong.append(f"round {number} is {state}, its version {made.get(number)}")
        for receipt in self.receipts(job):
            wrong += self._audit_receipt(receipt, rounds, made)
        twice = self.rows("SELECT client, joins FROM receipts WHERE job = ? "
                          "GROUP BY client, joins HAVING count(*) > 1", job)
        wrong += [f"client {row['client']} counts twice in round {row['joins']}" for row in twice]
        return wrong + self._audit_files(job)

    @staticmethod
    def _audit_receipt(receipt, rounds, made):
        name = f"receipt {receipt['assignment']}"
        end = RECEIPT_ENDS[receipt["ended"]]
        state = ROUND_STATES[rounds[receipt["joins"]]["state"]]
        if end == "OPEN":
            return [f"{name} is OPEN"]
        if end == "DISCARDED":
            return [] if receipt["reason"] else [f"{name} is DISCARDED without a reason"]
        if state != "PUBLISHED" or receipt["counted_in"] != made.get(receipt["joins"]):
            return [f"{name} is COUNTED in version {receipt['counted_in']}, its round is {state}"]
        return []

    def _audit_files(self, job):
        wrong = []
        spool = os.path.join(self.state_dir, "spool", job)
        if os.path.isdir(spool) and os.listdir(spool):
            wrong.append(f"left in the spool: {os.listdir(spool)}")
        for row in self.rows("SELECT * FROM model_files JOIN models USING (job, version) "
                             "WHERE job = ? AND kept = 1", job):
            path = os.path.join(self.state_dir, "blobs", row["digest"])
            if not os.path.exists(path) or os.path.getsize(path) != row["bytes"]:
                wrong.append(f"version {row['version']}: no whole file {row['digest']}")
        return wrong
