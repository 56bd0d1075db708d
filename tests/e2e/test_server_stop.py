"""SIGTERM in the middle of a round, and a second server on the same state."""
import signal
import time
import unittest

from harness import E2eTest, await_true

CLIENTS = 4
GRACE = 5


class ServerStopTest(E2eTest):
    CONFIG = f'grace = "{GRACE}s"\n'

    def test_sigterm_in_a_round_drains_and_the_next_server_goes_on(self):
        undisturbed = self.run_undisturbed("undisturbed", CLIENTS)
        world = self.world
        world.create_job("stopped")
        # Five batches of 100 ms, on two threads: a round takes a second.
        clients = world.clients("stopped", CLIENTS, "--slow", "1", "--slow-batch", "100ms")
        await_true(lambda: world.books.receipts("stopped"), "a first receipt",
                   [world.server, clients])

        began = time.monotonic()
        self.assertEqual(world.stop_server(), 0, world.server.tail())
        self.assertLess(time.monotonic() - began, GRACE + 10)
        self.assertIn("server.stopped", world.server.output())
        self.assertLess(len(world.books.receipts("stopped")), 3 * CLIENTS)
        self.assertEqual(world.books.job_state("stopped"), "RUNNING")
        self.assertIsNone(clients.poll(), "devices outlive their server")

        world.start_server()
        self.expect_well(clients)
        self.expect_completed("stopped", 3)
        self.assertEqual(world.books.digests("stopped"), undisturbed)

    def test_sigint_ends_it_as_well(self):
        self.world.server.send(signal.SIGINT)

        self.assertEqual(self.world.server.await_end(), 0)

    def test_a_second_server_on_the_state_is_refused_with_the_pid_of_the_first(self):
        world = self.world
        command = [argument for argument in world.server_command()]
        command[command.index("--main") + 1] = "127.0.0.1:0"

        second = world.run("second", command)

        self.assertEqual(second.await_end(), 1)
        self.assertIn(f"in use by process {world.server.pid}", second.output())
        self.assertIn("stop that one first", second.output())
        self.assertIsNone(world.server.poll(), "the first one goes on")


if __name__ == "__main__":
    unittest.main()
