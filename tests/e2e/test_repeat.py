"""One seed, one model: whatever the number of threads."""
import hashlib
import unittest

from harness import E2eTest, World

CLIENTS = 4


class RepeatTest(E2eTest):
    def exported(self, job):
        path = self.world.path(f"{job}.safetensors")
        self.world.fedctl("model", "export", job, "--out", path)
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def run_job(self, job, *options, devices="devices", token=None, **sections):
        self.world.create_job(job, **sections)
        self.expect_well(
            self.world.clients(job, CLIENTS, *options, devices=devices, token=token))
        self.expect_completed(job, 3)
        return self.exported(job)

    def run_named(self):
        token = self.world.token("client", CLIENTS, "--ids-from-names")
        return self.run_job("anew", devices="named", token=token)

    def test_two_runs_of_one_seed_give_the_same_file(self):
        first = self.run_job("first")
        self.world.stop_server()
        self.world.write("fedserver.toml", "[threads]\nworkers = 1\nfold = 3\n")
        self.world.start_server()
        second = self.run_job("second", "--threads", "4", "--slow", "0.5", "--slow-batch", "20ms")

        self.assertEqual(first, second)

    def test_a_fleet_of_the_same_names_that_enrolls_anew_gives_the_same_file(self):
        first = self.run_named()
        again = World(self.CONFIG)
        self.addCleanup(again.end)
        again.start_server()
        self.world, before = again, self.world
        self.addCleanup(setattr, self, "world", before)
        second = self.run_named()

        self.assertEqual(first, second)

    def test_another_seed_gives_another_file(self):
        seeds = {self.run_job(f"seed-{seed}", rounds={"seed": seed}) for seed in (1, 2)}
        first_values = self.run_job("first-values", rounds={"seed": 1}, model={"seed": 8})

        self.assertEqual(len(seeds | {first_values}), 3)

    def test_a_cohort_smaller_than_the_pool_is_drawn_by_the_seed(self):
        sections = {"rounds": {"cohort": 2, "pool_min": CLIENTS, "min_updates": 2}}
        first = self.run_job("drawn-first", **sections)
        second = self.run_job("drawn-second", **sections)

        self.assertEqual(first, second)
        drawn = {row["client"] for row in self.world.books.receipts("drawn-first")}
        self.assertGreater(len(drawn), 2, "not the same two each time")


if __name__ == "__main__":
    unittest.main()
