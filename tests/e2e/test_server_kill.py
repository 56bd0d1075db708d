"""kill -9 of the server between any two durable states changes nothing."""
import signal
import unittest

from books import RECEIPT_ENDS, ROUND_STATES
from harness import E2eTest

CLIENTS = 4
ROUNDS = 3


class ServerKillTest(E2eTest):
    # One worker: uploads are committed one after another, so that the n-th hit is the n-th upload.
    CONFIG = "[threads]\nworkers = 1\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.undisturbed = cls("run_undisturbed").run_undisturbed("undisturbed", CLIENTS)

    def run_killed(self, job, failpoint, hit):
        world = self.world
        self.assertEqual(world.stop_server(), 0)
        world.start_server(failpoints=f"{failpoint}=kill@{hit}")
        world.create_job(job)
        clients = world.clients(job, CLIENTS)
        self.assertEqual(world.server.await_end(), -signal.SIGKILL, world.server.tail())
        left = {
            "receipts": world.books.rows_on_disk(
                "SELECT * FROM receipts WHERE job = ? ORDER BY assignment", job),
            "rounds": [ROUND_STATES[row["state"]] for row in world.books.rows_on_disk(
                "SELECT state FROM rounds WHERE job = ? ORDER BY round", job)],
            "versions": world.books.rows_on_disk("SELECT * FROM models WHERE job = ?", job),
        }
        self.assertIsNone(clients.poll(), "devices outlive their server")

        world.start_server()
        self.expect_well(clients)
        self.expect_completed(job, ROUNDS)
        self.assertEqual(world.books.digests(job), self.undisturbed)
        ends = [RECEIPT_ENDS[row["ended"]] for row in world.books.receipts(job)]
        self.assertEqual(ends, ["COUNTED"] * CLIENTS * ROUNDS)
        return left

    def test_after_the_spool_is_synced_the_update_comes_again(self):
        left = self.run_killed("spool", "ingest.spool_synced", CLIENTS + 2)

        self.assertEqual(len(left["receipts"]), CLIENTS + 1)
        self.assertEqual(left["rounds"], ["PUBLISHED", "OPEN"])

    def test_a_receipt_without_its_ack_counts_once(self):
        left = self.run_killed("receipt", "ingest.receipt_committed", CLIENTS + 2)

        self.assertEqual(len(left["receipts"]), CLIENTS + 2)
        again = {row["assignment"]: row["accepted_at"]
                 for row in self.world.books.receipts("receipt")}
        for row in left["receipts"]:
            self.assertEqual(again[row["assignment"]], row["accepted_at"], "stored a second time")

    def test_a_closing_round_is_folded_by_the_next_server(self):
        left = self.run_killed("closing", "coordinate.closing_committed", 2)

        self.assertEqual(left["rounds"], ["PUBLISHED", "CLOSING"])
        self.assertEqual(len(left["versions"]), 2)

    def test_files_without_their_transaction_are_no_version(self):
        left = self.run_killed("files", "publisher.files_durable", 2)

        self.assertEqual(left["rounds"], ["PUBLISHED", "CLOSING"])
        self.assertEqual(len(left["versions"]), 2)

    def test_a_published_version_stays(self):
        left = self.run_killed("published", "publisher.version_committed", 2)

        self.assertEqual(left["rounds"], ["PUBLISHED", "PUBLISHED"])
        self.assertEqual(len(left["versions"]), 3)


if __name__ == "__main__":
    unittest.main()
