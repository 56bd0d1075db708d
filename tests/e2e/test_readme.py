"""Every command of the README is run as it stands there, on the tree that is built."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, SOURCE_DIR

# The two that build everything, and the examples, have tests of their own (test_examples.py).
RUN_ELSEWHERE = ("examples/", "tests/run.sh")
PATIENCE = 200.0


def read(*names):
    with open(os.path.join(SOURCE_DIR, *names), encoding="utf-8") as file:
        return file.read()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", read("README.md"), re.DOTALL)


def free_ports(count):
    """Of the kernel's choice, all at once so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fed-readme-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_the_commands_by_hand_do_what_they_say(self):
        commands = "\n".join(block for block in blocks("sh") if not block.startswith(RUN_ELSEWHERE))
        self.assertIn("fedctl job create job.toml --start", commands)
        # The README's ports may be taken here: others, in the commands and for the server.
        ports = dict(zip(("7443", "7444", "7445"), free_ports(3)))
        serve = "fedserver --config fedserver.toml"
        self.assertIn(serve, commands)
        script = commands.replace(serve, f"{serve} --main 127.0.0.1:7443 "
                                         "--enrollment 127.0.0.1:7444 --admin 127.0.0.1:7445")
        script = "set -euo pipefail\n" + re.sub("744[345]", lambda port: ports[port.group()], script)

        output = self.run_script(script, {"FEDCTL_SERVER": f"127.0.0.1:{ports['7445']}"})

        self.assertRegex(output, r"(?m)^ +2 +30 ")           # job watch: the second round's row
        self.assertIn("COMPLETED", output)                   # job show
        self.assertRegex(output, r"(?m)^\w{12} +evaluator ")  # client list
        self.assertRegex(output, r"version 2 \(\d+ bytes")   # model export
        self.assertRegex(output, r"says \d, is \d")          # predict --draw
        self.assertIn("test accuracy", output)               # train

    def run_script(self, script, environment):
        """In a session of its own, all of which ends with the test."""
        path = ":".join([os.path.join(BUILD_DIR, folder) for folder in
                         ("server/app", "server/cli", "examples/sim_clients")] + [os.environ["PATH"]])
        log = os.path.join(self.folder, "log")
        with open(log, "wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **environment, "PATH": path, "SOURCE": SOURCE_DIR})
        try:
            code = process.wait(PATIENCE)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        self.assertEqual(code, 0, text[-3000:])
        return text

    def test_the_client_compiles(self):
        (program,) = blocks("cpp")
        source = os.path.join(self.folder, "client.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program)

        compiled = subprocess.run(
            ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
             f"-I{SOURCE_DIR}/common/include", f"-I{SOURCE_DIR}/client_sdk/include", source],
            capture_output=True, text=True, check=False)

        self.assertEqual(compiled.returncode, 0, compiled.stderr)

    def test_every_limit_has_its_line(self):
        names = re.findall(r"inline constexpr [\w:]+ (k\w+)", read("common/base/limits.h"))

        self.assertGreater(len(names), 10)
        for name in names:
            if name == "kDefaultPieceBytes":  # stands with the two that bound it
                continue
            self.assertIn(f"`{name}`", read("README.md"))

    def test_every_file_that_is_named_is_there(self):
        links = re.findall(r"\]\(([^)#:]+)\)", read("README.md"))

        self.assertGreater(len(links), 10)
        for link in links:
            self.assertTrue(os.path.exists(os.path.join(SOURCE_DIR, link)), link)


if __name__ == "__main__":
    unittest.main()
