"""The examples, as the README names them, on the tree that is built."""
import os
import re
import shutil
import signal
import unittest

from harness import BUILD_DIR, SOURCE_DIR, World


class ExamplesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.end)

    def run_example(self, script, *arguments):
        command = ["env", f"FED_BUILD_DIR={BUILD_DIR}", os.path.join(SOURCE_DIR, script),
                   *arguments]
        process = self.world.run(os.path.basename(script), command)
        self.addCleanup(self.remove_run, process)
        self.addCleanup(self.end_script, process)
        self.assertEqual(process.await_end(240), 0, process.tail())
        return process.output()

    @staticmethod
    def end_script(process):
        """By SIGTERM: its own processes end with it."""
        if process.poll() is None:
            process.send(signal.SIGTERM)
            process.await_end()

    @staticmethod
    def remove_run(process):
        for path in set(re.findall(r"build/\w+/run-\w+", process.output())):
            shutil.rmtree(os.path.join(SOURCE_DIR, path), ignore_errors=True)

    def test_linear_regression_meets_least_squares(self):
        output = self.run_example("examples/linear_regression/run.sh", "linear")

        self.assertRegex(output, r"(?m)^ *120 ")

    def test_softmax_regression_prints_its_falling_loss(self):
        output = self.run_example("examples/linear_regression/run.sh", "softmax")

        losses = [float(loss) for loss in re.findall(r"(?m)^ +\d+ +4 +(\d+\.\d+) ", output)]
        self.assertEqual(len(losses), 10)
        self.assertEqual(losses, sorted(losses, reverse=True))

    def test_an_unknown_training_names_those_there_are(self):
        process = self.world.run("unknown", [os.path.join(
            SOURCE_DIR, "examples/linear_regression/run.sh"), "cubic"])

        self.assertEqual(process.await_end(), 2)
        self.assertIn("known are linear and softmax", process.output())

    def test_quickstart(self):
        output = self.run_example("examples/quickstart.sh", "--rounds", "2")

        rows = re.findall(r"(?m)^ +(\d) +30 +(\d+\.\d+) +(\d\.\d+) ", output)
        self.assertEqual([row[0] for row in rows], ["1", "2"])
        said = re.search(r"federated (\d\.\d+), central (\d\.\d+)", output)
        self.assertAlmostEqual(float(said[1]), float(rows[-1][2]), places=4)
        self.assertGreater(float(said[2]), 0.8)
        self.assertEqual(output.count("says "), 10)
        model = re.search(r"(?m)^model: (/.*\.safetensors)$", output)[1]
        self.assertTrue(os.path.exists(model))
        self.assertIn("Serve this state again", output)
        self.expect_served_again(output)

    def expect_served_again(self, output):
        """The commands that it ends with, as they stand there."""
        commands = output[output.index("Serve this state again"):].splitlines()[1:]
        script = ["set -e", "trap 'kill %1; wait %1' EXIT"]
        for command in commands:
            if "--ready-file" in command or not command.startswith("  "):
                continue
            script.append(command.strip())
            if command.rstrip().endswith("&"):
                script.append(f'until (: </dev/tcp/{self.admin_of(command)}) 2>/dev/null; do '
                              f'kill -0 $! && sleep 0.05; done')
        process = self.world.run("again", ["bash", "-c", "\n".join(script)], cwd=SOURCE_DIR)
        self.addCleanup(self.end_script, process)
        self.assertEqual(process.await_end(), 0, process.tail())
        self.assertIn("COMPLETED", process.output())
        self.assertIn("client-0001", process.output())

    @staticmethod
    def admin_of(command):
        host, port = re.search(r"--admin (\S+):(\d+)", command).groups()
        return f"{host}/{port}"


if __name__ == "__main__":
    unittest.main()
