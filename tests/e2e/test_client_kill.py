"""kill -9 of devices: what they have trained is sent, once, and not trained again."""
import glob
import os
import signal
import sys
import unittest

from harness import SOURCE_DIR, E2eTest, await_true
from throttle import Relay

sys.path.append(os.path.join(SOURCE_DIR, "tests", "numeric"))
import update_reader  # noqa: E402  (reads updates independently of the product)

CLIENTS = 4
WIDE = {"model": {"plan": "wide.toml"}, "training": {"learning_rate": 0.02},
        "rounds": {"count": 1, "cohort": 1}}
UPDATE_BYTES = 4 * (64 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 4 + 4)


class OutboxTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.undisturbed = cls("run_undisturbed").run_undisturbed("undisturbed", CLIENTS)

    def in_outbox(self, job, ending):
        """{(device, assignment): path}"""
        found = {}
        for path in glob.glob(self.world.path("devices", "*", "outbox", f"{job}.*.{ending}")):
            device = path.split(os.sep)[-3]
            found[device, int(path.split(".")[-2])] = path
        return found

    def run_killed(self, job, failpoint):
        """The process that was killed, and what lay in the outboxes then."""
        world = self.world
        world.create_job(job)
        killed = world.clients(job, CLIENTS, failpoints=failpoint)
        self.assertEqual(killed.await_end(), -signal.SIGKILL, killed.tail())
        updates = {}
        for key, path in self.in_outbox(job, "update").items():
            with open(path, "rb") as file:
                updates[key] = update_reader.read(file.read())[2]
        return updates, self.in_outbox(job, "receipt")

    def end_job(self, job):
        again = self.world.clients(job, CLIENTS)
        self.expect_well(again)
        self.expect_completed(job, 3)
        self.assertEqual(self.world.books.digests(job), self.undisturbed)
        return again.output()

    def expect_not_trained_again(self, log, job, keys):
        for device, assignment in keys:
            self.assertNotRegex(log, rf"(?m)^{device} assignment\.begins job={job} "
                                     rf"assignment={assignment} ")

    def test_a_stored_update_is_sent_by_the_next_process(self):
        updates, _ = self.run_killed("stored", "outbox.update_stored=kill@2")
        self.assertGreaterEqual(len(updates), 1)

        log = self.end_job("stored")

        self.expect_not_trained_again(log, "stored", updates)
        digests = {row["assignment"]: row["digest"] for row in self.world.books.receipts("stored")}
        for (_, assignment), digest in updates.items():
            self.assertEqual(digests[assignment], digest)

    def test_an_acknowledged_update_is_not_sent_again(self):
        updates, receipts = self.run_killed("acknowledged", "outbox.receipt_stored=kill@2")
        self.assertGreaterEqual(len(receipts), 1)
        counted = {row["assignment"]: row["accepted_at"]
                   for row in self.world.books.receipts("acknowledged")}

        log = self.end_job("acknowledged")

        self.expect_not_trained_again(log, "acknowledged", {**updates, **receipts})
        after = {row["assignment"]: row["accepted_at"]
                 for row in self.world.books.receipts("acknowledged")}
        for _, assignment in receipts:
            self.assertEqual(after[assignment], counted[assignment])


class UploadTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.undisturbed = cls("run_undisturbed").run_undisturbed("undisturbed", 1, **WIDE)

    def spooled(self, job):
        paths = glob.glob(self.world.path("state", "spool", job, "*"))
        return sum(os.path.getsize(path) for path in paths)

    def begin_upload(self, job):
        """A device whose upload stands still in the middle, and the relay that holds it."""
        relay = Relay(self.world.addresses[0])
        self.addCleanup(relay.close)
        self.world.create_job(job, **WIDE)
        relay.hold_after(UPDATE_BYTES // 2)
        clients = self.world.clients(job, 1, server=relay.address)
        await_true(lambda: self.spooled(job) > UPDATE_BYTES // 4, "an upload to begin", [clients])
        self.assertEqual(self.world.books.receipts(job), [])
        return clients, relay

    def expect_resumed(self, job, relay, sent_before, held):
        self.expect_completed(job, 1)
        self.assertEqual(self.world.books.digests(job), self.undisturbed)
        # Tiles that were checked are not sent again; what is beside them is small.
        self.assertLess(relay.sent() - sent_before, UPDATE_BYTES - held + (1 << 18))

    def test_a_device_that_is_killed_in_an_upload_goes_on_where_it_stopped(self):
        clients, relay = self.begin_upload("killed")
        held = self.spooled("killed")
        clients.kill()
        before = relay.sent()
        relay.release()

        again = self.world.clients("killed", 1, server=relay.address)

        self.expect_well(again)
        self.expect_resumed("killed", relay, before, held)
        self.assertNotIn("assignment.begins", again.output(), "trained again")

    def test_a_server_that_is_killed_in_an_upload_keeps_what_it_had(self):
        clients, relay = self.begin_upload("server")
        held = self.spooled("server")
        self.world.server.kill()
        before = relay.sent()
        relay.release()

        self.world.start_server()

        self.expect_well(clients)
        self.expect_resumed("server", relay, before, held)


if __name__ == "__main__":
    unittest.main()
