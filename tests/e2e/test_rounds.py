"""Rounds whose devices die, are late, or are too few."""
import unittest

from books import ASSIGNMENT_STATES, RECEIPT_ENDS, ROUND_STATES
from harness import E2eTest, await_true

# 200 examples, one by one: a slow device needs a minute for what others do at once.
SLOW = ("--slow", "1", "--slow-batch", "300ms")
ONE_BY_ONE = {"batch_size": 1, "learning_rate": 0.01}


class RoundsTest(E2eTest):
    def states(self, job):
        return {row["name"] + "/" + str(row["assignment"]): ASSIGNMENT_STATES[row["state"]]
                for row in self.world.books.assignments(job)}

    def seconds(self, job):
        return [(row["closed_at"] - row["opened_at"]) / 1e6 for row in self.world.books.rounds(job)]

    def await_drawn(self, job, count, processes):
        return await_true(lambda: len(self.world.books.assignments(job)) >= count,
                          f"{count} assignments", processes)

    def test_a_device_that_dies_in_training_is_replaced(self):
        world = self.world
        world.create_job("dies", training=ONE_BY_ONE,
                         rounds={"count": 1, "cohort": 2, "renew_every": "300ms", "lease": "2s"})
        slow = world.clients("dies", 1, *SLOW, devices="mortal")
        fast = world.clients("dies", 1, devices="first")
        self.await_drawn("dies", 2, [slow, fast])
        spare = world.clients("dies", 1, devices="spare")
        await_true(lambda: self.stage("dies") == "training", "the device to train", [slow])

        slow.kill()

        self.expect_well(fast)
        self.expect_well(spare)
        self.expect_completed("dies", 1)
        people = world.fedctl_json("round", "show", "dies", "1")["participants"]
        gone = [one for one in people if one["state"] == "GONE"]
        self.assertEqual([one["reason"] for one in gone], ["no sign of life"])
        self.assertEqual(gone[0]["receipt"], "")
        self.assertEqual(sorted(one["state"] for one in people), ["DONE", "DONE", "GONE"])
        self.assertEqual(len(world.books.receipts("dies")), 2)
        table = world.fedctl("round", "show", "dies", "1")
        self.assertRegex(table, r"GONE .*no sign of life")

    def stage(self, job):
        people = self.world.fedctl_json("round", "show", job)["participants"]
        return next((one["stage"] for one in people if one["state"] == "ASSIGNED"), None)

    def test_a_round_closes_at_its_deadline_with_what_is_there(self):
        world = self.world
        world.create_job("deadline", training=ONE_BY_ONE,
                         rounds={"count": 1, "cohort": 3, "min_updates": 2, "time_limit": "4s"})
        slow = world.clients("deadline", 1, *SLOW, devices="straggler")
        fast = world.clients("deadline", 2, devices="pair")

        self.expect_well(fast)
        self.expect_well(slow)
        self.expect_completed("deadline", 1)
        self.assertEqual(len(world.books.receipts("deadline")), 2)
        self.assertGreaterEqual(self.seconds("deadline")[0], 4.0)
        states = sorted(self.states("deadline").values())
        self.assertEqual(states.count("DONE"), 2, states)

    def test_over_selection_keeps_stragglers_from_holding_a_round(self):
        world = self.world
        world.create_job("over", training=ONE_BY_ONE, rounds={
            "count": 1, "cohort": 2, "over_selection": 2.0, "time_limit": "10m"})
        slow = world.clients("over", 2, *SLOW, devices="stragglers")
        fast = world.clients("over", 2, devices="pair")

        self.expect_well(fast)
        self.expect_well(slow)
        self.expect_completed("over", 1)
        self.assertEqual(len(self.states("over")), 4)
        self.assertEqual(len(world.books.receipts("over")), 2)
        self.assertLess(self.seconds("over")[0], 20.0)

    def test_rounds_that_fail_discard_their_receipts_and_pause_the_job(self):
        world = self.world
        world.create_job("fails", training=ONE_BY_ONE, rounds={
            "count": 2, "cohort": 2, "time_limit": "2s", "max_failed": 2, "backoff_first": "500ms"})
        slow = world.clients("fails", 1, *SLOW, devices="straggler")
        fast = world.clients("fails", 1, devices="first")
        await_true(lambda: world.books.job_state("fails") == "PAUSED", "the job to be paused",
                   [world.server, slow, fast])

        shown = world.fedctl_json("job", "show", "fails")["job"]
        self.assertEqual(shown["state"], "JOB_STATE_PAUSED")
        self.assertEqual(shown["reason"], "2 rounds failed in a row")
        rounds = world.books.rounds("fails")
        self.assertEqual([ROUND_STATES[row["state"]] for row in rounds], ["FAILED"] * 2)
        self.assertEqual({row["reason"] for row in rounds}, {"too few updates: 1 of at least 2"})
        receipts = world.books.receipts("fails")
        self.assertEqual([RECEIPT_ENDS[row["ended"]] for row in receipts], ["DISCARDED"] * 2)
        self.assertEqual({row["reason"] for row in receipts}, {"too few updates: 1 of at least 2"})
        pause = (rounds[1]["opened_at"] - rounds[0]["closed_at"]) / 1e6
        self.assertGreaterEqual(pause, 0.5)
        self.assertRegex(fast.output(), r"update\.settled .*end=discarded .*too few updates")

        slow.kill()
        other = world.clients("fails", 1, devices="other")
        world.fedctl("job", "resume", "fails")
        self.expect_well(fast)
        self.expect_well(other)
        self.expect_completed("fails", 2)
        states = [ROUND_STATES[row["state"]] for row in world.books.rounds("fails")]
        self.assertEqual(states, ["FAILED", "FAILED", "PUBLISHED", "PUBLISHED"])


if __name__ == "__main__":
    unittest.main()
