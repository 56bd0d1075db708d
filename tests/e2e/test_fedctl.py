"""fedctl on the state that a job left behind, once it is served again."""
import json
import os
import unittest

import samples
from harness import E2eTest, await_true

CLIENTS = 3
ROUNDS = 4


class FedctlTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        world, test = cls.world, cls("expect_completed")
        world.create_job("main", rounds={"count": ROUNDS, "cohort": CLIENTS},
                         evaluation={"every": 1}, retention={"last": 2, "best": ""})
        clients = world.clients("main", CLIENTS, "--evaluator-token-file", world.token("evaluator"))
        test.expect_well(clients)
        test.expect_completed("main", ROUNDS)
        world.fedctl("job", "create", world.write("draft.job.toml", samples.job_text("draft")))
        world.stop_server()
        world.start_server()

    def table(self, *arguments):
        """Its rows, the header first; every column has a name."""
        return [line.split() for line in self.world.fedctl(*arguments).splitlines() if line]

    def refused(self, *arguments):
        done = self.world.call_fedctl(*arguments)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_job_list(self):
        rows = self.table("job", "list")
        self.assertEqual(rows[0][:3], ["JOB", "STATE", "ROUNDS"])
        shown = {row[0]: row[1:3] for row in rows[1:]}
        self.assertEqual(shown["draft"], ["DRAFT", "0/3"])
        self.assertEqual(shown["main"], ["COMPLETED", f"{ROUNDS}/{ROUNDS}"])
        states = {job["id"]: job["state"] for job in self.world.fedctl_json("job", "list")["jobs"]}
        self.assertEqual(states["draft"], "JOB_STATE_DRAFT")
        self.assertEqual(states["main"], "JOB_STATE_COMPLETED")

    def test_job_show(self):
        shown = self.world.fedctl_json("job", "show", "main")
        self.assertEqual(shown["spec"], self.world.read("main.job.toml"))
        self.assertEqual(shown["plan"], samples.SMALL_PLAN)
        self.assertEqual(int(shown["evaluated_version"]), ROUNDS)
        self.assertGreater(shown["latest_metrics"]["accuracy"], 0.5)
        text = self.world.fedctl("job", "show", "main")
        self.assertIn(f"evaluation of version {ROUNDS}:", text)
        self.assertIn('id = "main"', text)
        self.assertIn("none", self.refused("job", "show", "none"))

    def test_job_watch_of_a_job_that_has_ended_ends(self):
        self.world.fedctl("job", "watch", "main")

    def test_round_list(self):
        rows = self.table("round", "list", "main")
        self.assertEqual(rows[0][:4], ["ROUND", "STATE", "BASE", "VERSION"])
        self.assertEqual([row[:4] for row in rows[1:]],
                         [[str(r), "PUBLISHED", str(r - 1), str(r)] for r in range(ROUNDS, 0, -1)])
        rounds = self.world.fedctl_json("round", "list", "main")["rounds"]
        self.assertEqual([int(one["updates"]) for one in rounds], [CLIENTS] * ROUNDS)
        for one in rounds:
            self.assertEqual(one["metrics"]["examples"], 200)
            self.assertIn("accuracy", one["evaluation"])
            self.assertGreater(one["metrics"]["bytes_up"], 0)
            self.assertGreater(one["metrics"]["bytes_down"], 0)
        limited = self.world.fedctl_json("round", "list", "main", "--limit", "1")["rounds"]
        self.assertEqual([int(one["round"]) for one in limited], [ROUNDS])

    def test_round_show(self):
        shown = self.world.fedctl_json("round", "show", "main", "1")
        self.assertEqual(int(shown["round"]["round"]), 1)
        people = shown["participants"]
        self.assertEqual([(one["state"], one["receipt"]) for one in people],
                         [("DONE", "COUNTED")] * CLIENTS)
        names = {one["client_name"] for one in people}
        self.assertEqual(names, {f"client-{number:04d}" for number in range(CLIENTS)})
        self.assertIn("client-0001", self.world.fedctl("round", "show", "main"))

    def test_client_list_and_show(self):
        clients = self.world.fedctl_json("client", "list")["clients"]
        devices = [one for one in clients if one["role"] == "client"]
        self.assertEqual(len(devices), CLIENTS)
        self.assertEqual(len([one for one in clients if one["role"] == "evaluator"]), 1)
        self.assertEqual({int(one["rounds"]) for one in devices}, {ROUNDS})
        self.assertEqual(sum(int(one["examples"]) for one in devices), 200)
        for one in devices:
            self.assertEqual(one["platform"], "linux-" + os.uname().machine)
            self.assertTrue(one["sdk_version"])
            self.assertIn("number", one["labels"])
            self.assertGreaterEqual(int(one["last_seen_ms"]), int(one["first_seen_ms"]))
        table = self.world.fedctl("client", "list")
        self.assertIn("number=1", table)
        one = self.world.fedctl_json("client", "show", devices[0]["id"][:8])
        self.assertEqual(one, devices[0])
        self.assertIn(devices[0]["name"], self.world.fedctl("client", "show", devices[0]["id"]))
        self.assertTrue(self.refused("client", "show", "ffff"))

    def test_model_list_and_export(self):
        models = self.world.fedctl_json("model", "list", "main")["models"]
        self.assertEqual(sorted(int(one["version"]) for one in models), list(range(ROUNDS + 1)))
        kept = sorted(int(one["version"]) for one in models if one["kept"])
        self.assertEqual(kept, [ROUNDS - 1, ROUNDS], "retention keeps the last two")
        self.assertIn("DIGEST", self.world.fedctl("model", "list", "main"))

        path = self.world.path("model.safetensors")
        model = self.world.fedctl_json("model", "export", "main", "--out", path)
        newest = next(one for one in models if int(one["version"]) == ROUNDS)
        self.assertEqual(model["digest"], newest["digest"])
        self.assertEqual(os.path.getsize(path), int(newest["bytes"]))
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        self.assertEqual(header["fc1.weight"]["shape"], [16, 64])
        self.world.fedctl("model", "export", "main", "--version", str(ROUNDS - 1), "--out", path)
        self.assertIn("0", self.refused("model", "export", "main", "--version", "0", "--out", path))

    def test_predict(self):
        data = ("--data", self.world.path("data"))
        drawn = self.world.fedctl("predict", "--job", "main", *data, "--draw", "--count", "10")
        self.assertEqual(drawn.count("says "), 10)
        table = self.table("predict", "--job", "main", *data, "--count", "4")
        self.assertEqual(table[0], ["EXAMPLE", "PREDICTED", "PROBABILITY", "TRUE"])
        self.assertEqual(len(table), 5)
        said = self.world.fedctl_json("predict", "--job", "main", *data, "--count", "80")
        right = [one for one in said["predictions"] if one["predicted"] == one["true"]]
        shown = self.world.fedctl_json("job", "show", "main")
        self.assertAlmostEqual(len(right) / 80, shown["latest_metrics"]["accuracy"])

        model = self.world.path("exported.safetensors")
        self.world.fedctl("model", "export", "main", "--out", model)
        from_file = self.world.fedctl_json("predict", "--model", model, "--plan",
                                           self.world.path("small.toml"), *data, "--count", "80")
        self.assertEqual(from_file, said)

    def test_predict_refuses_examples_that_are_not_there(self):
        self.assertIn("there are 80", self.refused("predict", "--job", "main", "--data",
                                                   self.world.path("data"), "--first", "79"))

    def test_a_job_that_is_wrong_is_refused_with_file_line_and_what_was_expected(self):
        text = samples.job_text("wrong", rounds={"cohort": 0})
        path = self.world.write("wrong.job.toml", text)
        line = text.splitlines().index("cohort = 0") + 1
        said = self.refused("job", "create", path)
        self.assertIn(f"wrong.job.toml:{line}: ", said)
        self.assertIn("'cohort' in [rounds] must be a whole number from 1 to ", said)
        self.assertIn("main", self.refused("job", "create", self.world.path("main.job.toml")))

    def test_a_job_is_paused_resumed_and_stopped(self):
        self.world.create_job("orders")
        self.assertIn("can not resume", self.refused("job", "resume", "orders"))
        self.assertIn("PAUSED", self.world.fedctl("job", "pause", "orders"))
        self.assertIn("RUNNING", self.world.fedctl("job", "resume", "orders"))
        clients = self.world.clients("orders", CLIENTS)  # one fewer than the cohort of four
        waiting = await_true(lambda: int(self.world.fedctl_json("job", "show", "orders")["job"][
            "devices_waiting"]) == CLIENTS, "the devices to wait", [clients])
        self.assertTrue(waiting)
        self.assertIn(f"waiting for devices: {CLIENTS} of 4 are here",
                      self.world.fedctl("job", "show", "orders"))
        self.assertEqual(self.world.fedctl_json("job", "stop", "orders")["state"],
                         "JOB_STATE_STOPPED")
        self.expect_well(clients)

    def test_a_server_that_is_not_there_is_named(self):
        done = self.world.call_fedctl("job", "list", "--server", "127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't talk to 127.0.0.1:1", done.stderr)


if __name__ == "__main__":
    unittest.main()
