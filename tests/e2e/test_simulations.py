"""sim_clients: how data falls on devices, and devices that misbehave."""
import re
import unittest

from harness import E2eTest

CLIENTS = 6


class SimulationsTest(E2eTest):
    def run_job(self, job, *options, **rounds):
        self.world.create_job(job, rounds={"count": 2, "cohort": CLIENTS, **rounds})
        clients = self.world.clients(job, CLIENTS, *options)
        self.expect_well(clients)
        self.expect_completed(job, 2)
        return clients.output()

    def sizes(self, output):
        """{client: examples} of the table that it prints."""
        return {int(client): int(examples)
                for client, examples in re.findall(r"(?m)^ +(\d+) +(\d+)(?: +[\d.]+){4}$", output)}

    def test_two_labels_a_client(self):
        output = self.run_job("shards", "--partition", "shards", "--labels-per-client", "2")

        rows = re.findall(r"(?m)^ +\d+ +\d+((?: +[\d.]+){4})$", output)
        self.assertEqual(len(rows), CLIENTS)
        for row in rows:
            self.assertLessEqual(sum(cell != "." for cell in row.split()), 3)
        self.assertEqual(sum(self.sizes(output).values()), 200)
        self.assertIn(f"{CLIENTS} clients ended well, 0 with an error", output)

    def test_dirichlet_shares_resampled_to_even_labels(self):
        output = self.run_job("dirichlet", "--partition", "dirichlet", "--alpha", "0.5",
                              "--resample")

        for row in re.findall(r"(?m)^ +\d+ +\d+((?: +[\d.]+){4})$", output):
            self.assertEqual(len({cell for cell in row.split() if cell != "."}), 1, row)
        self.assertGreaterEqual(sum(self.sizes(output).values()), 200)

    def test_quantity_skew(self):
        output = self.run_job("quantity", "--partition", "quantity", "--alpha", "1")

        sizes = self.sizes(output)
        self.assertEqual(sum(sizes.values()), 200)
        self.assertGreater(max(sizes.values()), min(sizes.values()))
        receipts = self.world.books.receipts("quantity")
        self.assertEqual(sorted({row["weight"] for row in receipts}), sorted(set(sizes.values())))

    def test_an_unknown_partition_names_those_there_are(self):
        self.world.create_job("unknown")
        clients = self.world.clients("unknown", CLIENTS, "--partition", "shard")

        self.assertEqual(clients.await_end(), 1)
        self.assertIn("shards", clients.output())

    def test_devices_that_vanish_hold_nothing_up(self):
        output = self.run_job("drop", "--drop", "0.3", cohort=3, min_updates=2, pool_min=CLIENTS,
                              over_selection=2.0, renew_every="300ms", lease="1s", time_limit="20s")

        self.assertIn("assignment.ended", output, "nobody vanished: another seed is needed")

    def test_devices_that_crash_in_uploads_come_back(self):
        undisturbed = self.run_undisturbed("whole", CLIENTS, rounds={"count": 2, "cohort": CLIENTS})
        output = self.run_job("crash", "--crash-upload", "0.5")

        self.assertEqual(self.world.books.digests("crash"), undisturbed)
        self.assertIn(f"{CLIENTS} clients ended well, 0 with an error", output)


if __name__ == "__main__":
    unittest.main()
