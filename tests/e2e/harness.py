"""A world of real processes in a temporary folder: a CA, a fedserver, devices, an operator.

FED_BUILD_DIR names the tree that the programs are taken from; with FED_E2E_KEEP=1 the folder stays.
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import samples
from books import Books

SOURCE_DIR = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD_DIR = os.path.abspath(
    os.environ.get("FED_BUILD_DIR", os.path.join(SOURCE_DIR, "build/release")))
FEDSERVER = os.path.join(BUILD_DIR, "server/app/fedserver")
FEDCTL = os.path.join(BUILD_DIR, "server/cli/fedctl")
SIM_CLIENTS = os.path.join(BUILD_DIR, "examples/sim_clients/sim_clients")

PATIENCE = 90.0  # seconds after which a condition counts as never coming true
POLL = 0.02
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def await_true(condition, what, processes=(), patience=PATIENCE):
    """The condition's first true value; fails at the deadline, or once a process has ended."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        for process in processes:
            if process.poll() is not None and not condition():
                raise AssertionError(f"{process.name} ended ({process.poll()}) before {what}:\n"
                                     f"{process.tail()}")
        if time.monotonic() > deadline:
            tails = "".join(f"\n{process.name}:\n{process.tail()}" for process in processes)
            raise AssertionError(f"{patience:.0f} s have passed without: {what}{tails}")
        time.sleep(POLL)


def _die_with_the_test():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program whose output goes to a file, and which never outlives the test."""

    def __init__(self, name, command, log, environment=None, cwd=None):
        self.name, self.log = name, log
        with open(log, "ab") as output:
            self._start = os.path.getsize(log)
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd,
                env={**os.environ, **(environment or {})}, preexec_fn=_die_with_the_test)

    @property
    def pid(self):
        return self._popen.pid

    def poll(self):
        return self._popen.poll()

    def output(self):
        with open(self.log, "rb") as file:
            file.seek(self._start)
            return file.read().decode("utf-8", "replace")

    def tail(self):
        return "\n".join(self.output().splitlines()[-15:])

    def send(self, number):
        self._popen.send_signal(number)

    def kill(self):
        """By SIGKILL; ends when it is gone."""
        self._popen.kill()
        self._popen.wait()

    def await_end(self, patience=PATIENCE):
        """Its exit code; a negative number is a signal."""
        try:
            return self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {patience:.0f} s:\n{self.tail()}")


class World:
    """One folder with everything in it. Servers come and go; the state and the ports stay."""

    def __init__(self, config=""):
        self.folder = tempfile.mkdtemp(prefix="fed-e2e-")
        self.books = Books(self.path("state"))
        self.addresses = None  # main, enrollment, admin; from the first start on
        self.server = None
        self._processes = []
        self._names = 0
        self._tokens = {}  # by the devices' folder
        samples.write_images(self.path("data"))
        self.write("small.toml", samples.SMALL_PLAN)
        self.write("wide.toml", samples.WIDE_PLAN)
        self.write("fedserver.toml", config)
        self.fedctl("ca", "init", "--dir", self.path("ca"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def end(self):
        self.end_processes()
        if os.environ.get("FED_E2E_KEEP"):
            print(f"kept: {self.folder}")
            return
        shutil.rmtree(self.folder)

    def end_processes(self, but=()):
        for process in self._processes:
            if process not in but and process.poll() is None:
                process.kill()
        self._processes = [process for process in self._processes if process in but]

    def run(self, name, command, failpoints="", cwd=None):
        environment = {"FED_FAILPOINTS": failpoints} if failpoints else None
        self._names += 1
        process = Process(name, command, self.path(f"{self._names:03d}-{name}.log"), environment,
                          cwd)
        self._processes.append(process)
        return process

    # ---- the server ----

    def server_command(self, failpoints=""):
        program = FEDSERVER + "_failpoints" if failpoints else FEDSERVER
        command = [program, "--config", self.path("fedserver.toml")]
        addresses = self.addresses or ["127.0.0.1:0"] * 3
        for option, address in zip(("--main", "--enrollment", "--admin"), addresses):
            command += [option, address]
        return command

    def start_server(self, failpoints=""):
        """Serves when this returns. A port of an earlier start may be held a moment longer."""
        ready = self.path("addresses")

        def serves():
            if os.path.exists(ready):
                os.unlink(ready)
            name = "fedserver_failpoints" if failpoints else "fedserver"
            self.server = self.run(name, self.server_command(failpoints)
                                   + ["--ready-file", ready], failpoints)
            await_true(lambda: os.path.exists(ready) or self.server.poll() is not None,
                       "fedserver to start")
            if self.server.poll() is None:
                return True
            if self.addresses and "can't listen on" in self.server.output():
                return False
            raise AssertionError(f"fedserver did not start:\n{self.server.tail()}")

        await_true(serves, "fedserver's ports to be free")
        self.addresses = self.read("addresses").split()

    def stop_server(self):
        self.server.send(signal.SIGTERM)
        return self.server.await_end()

    # ---- the operator ----

    def call_fedctl(self, *arguments):
        environment = {**os.environ, "FEDCTL_CERTS": self.path("ca")}
        if self.addresses:
            environment["FEDCTL_SERVER"] = self.addresses[2]
        return subprocess.run([FEDCTL, *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def fedctl(self, *arguments):
        done = self.call_fedctl(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"fedctl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def fedctl_json(self, *arguments):
        return json.loads(self.fedctl("--json", *arguments))

    def token(self, role="client", uses=1, *options):
        """A file with a new one."""
        self._names += 1
        return self.write(f"{self._names:03d}.token",
                          self.fedctl("enroll-token", "--role", role, "--uses", str(uses), *options))

    def create_job(self, job, **sections):
        path = self.write(f"{job}.job.toml", samples.job_text(job, **sections))
        self.fedctl("job", "create", path, "--start")

    # ---- devices ----

    def clients(self, job, count, *options, devices="devices", token=None, server=None,
                failpoints=""):
        """A process with `count` devices; those of one folder are the same ones each time."""
        if token is None:
            if devices not in self._tokens:
                self._tokens[devices] = self.token(uses=count)
            token = self._tokens[devices]
        program = SIM_CLIENTS + "_failpoints" if failpoints else SIM_CLIENTS
        command = [program, "--server", server or self.addresses[0], "--enrollment",
                   self.addresses[1], "--job", job, "--data", self.path("data"), "--token-file",
                   token, "--state-dir", self.path(devices), "--clients", str(count), "--seed", "3",
                   "--verbose", *options]
        return self.run(f"clients-{job}", command, failpoints)


class E2eTest(unittest.TestCase):
    """One world a class; a test has jobs of its own in it, and leaves no process but the server."""

    CONFIG = ""
    world: World

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.CONFIG)
        cls.addClassCleanup(cls.world.end)
        cls.world.start_server()

    def setUp(self):
        self.addCleanup(self.leave)

    def leave(self):
        """A plain server is left to the next test."""
        server = self.world.server
        plain = server.poll() is None and server.name == "fedserver"
        self.world.end_processes(but=(server,) if plain else ())
        if not plain:
            self.world.start_server()

    def expect_well(self, clients):
        """They end, and well; their server lives at least as long."""
        await_true(lambda: clients.poll() is not None, f"{clients.name} to end",
                   [self.world.server])
        self.assertEqual(clients.await_end(), 0, clients.tail())

    def expect_completed(self, job, rounds):
        """COMPLETED by what fedctl says, and by the books."""
        shown = await_true(lambda: self.ended(job), f"job {job} to end", [self.world.server])
        self.assertEqual(shown["state"], "JOB_STATE_COMPLETED")
        self.assertEqual(int(shown["rounds_done"]), rounds)
        self.assertEqual(int(shown["latest_version"]), rounds)
        self.assertEqual(self.world.books.job_state(job), "COMPLETED")
        self.assertEqual(self.world.books.audit(job), [])

    def ended(self, job):
        shown = self.world.fedctl_json("job", "show", job)["job"]
        return shown if shown["state"] in ("JOB_STATE_COMPLETED", "JOB_STATE_STOPPED") else None

    def run_undisturbed(self, job, count, devices="devices", **sections):
        """The digests of a job to which nothing happens, version by version."""
        self.world.create_job(job, **sections)
        self.expect_well(self.world.clients(job, count, devices=devices))
        rounds = sections.get("rounds", {}).get("count", 3)
        self.expect_completed(job, rounds)
        return self.world.books.digests(job)
