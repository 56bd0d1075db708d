"""What fedserver says of a start that can't be."""
import os
import shutil
import unittest

from harness import FEDCTL, FEDSERVER, World


class StartTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.end)

    def refused(self, command):
        process = self.world.run("refused", command)
        self.assertEqual(process.await_end(), 1, process.tail())
        return process.output()

    def start_with(self, text):
        return self.refused([FEDSERVER, "--config", self.world.write("bad.toml", text)])

    def test_an_unknown_key_is_named_with_file_and_line(self):
        said = self.start_with('[listen]\nmain = "127.0.0.1:0"\nadmn = "127.0.0.1:0"\n')

        self.assertIn("bad.toml:3: unknown key in [listen] 'admn'", said)
        self.assertIn("admin", said.replace("admn", ""), "says what may be meant")

    def test_an_unknown_section_is_named(self):
        self.assertRegex(self.start_with('[lissten]\nmain = "127.0.0.1:0"\n'),
                         r"bad\.toml:1: unknown section 'lissten'.*listen")

    def test_a_bad_value_says_what_was_expected(self):
        for text, line, expected in (
                ('grace = 20\n', 1, "duration"),
                ('[listen]\nmain = "127.0.0.1"\n', 2, 'an address as "0.0.0.0:7443"'),
                ('[transfer]\n\npiece_bytes = 1\n', 3, "a whole number from 16384 to 2097152"),
                ('[storage]\ndurability = "some"\n', 2, 'one of "full" "normal"')):
            with self.subTest(text):
                said = self.start_with(text)
                self.assertIn(f"bad.toml:{line}: ", said)
                self.assertIn(expected, said)

    def test_what_is_no_toml_is_refused_with_its_line(self):
        self.assertIn("bad.toml:2: ", self.start_with("[listen]\nmain = \n"))

    def test_a_missing_file_is_named(self):
        said = self.refused([FEDSERVER, "--config", self.world.path("none.toml")])

        self.assertIn("none.toml", said)

    def test_without_a_ca_it_says_how_to_make_one(self):
        said = self.start_with('[ca]\nfolder = "no-ca"\n')

        self.assertIn("no-ca", said)
        self.assertIn("fedctl ca init", said)

    def test_a_key_of_another_certificate_is_refused(self):
        world = self.world
        world.fedctl("ca", "init", "--dir", world.path("other-ca"))
        shutil.copytree(world.path("ca"), world.path("mixed-ca"))
        shutil.copy(world.path("other-ca", "server.key"), world.path("mixed-ca", "server.key"))

        said = self.start_with('[ca]\nfolder = "mixed-ca"\n')

        self.assertIn("server.key", said)

    def test_a_port_that_is_taken_is_named(self):
        world = self.world
        world.start_server()
        self.addCleanup(world.server.kill)
        command = [FEDSERVER, "--config", world.path("fedserver.toml"), "--state-dir",
                   world.path("other-state"), "--main", world.addresses[0], "--enrollment",
                   "127.0.0.1:0", "--admin", "127.0.0.1:0"]

        self.assertIn(f"can't listen on {world.addresses[0]}", self.refused(command))

    def test_ca_init_overwrites_nothing(self):
        before = {name: os.stat(self.world.path("ca", name)).st_mtime_ns
                  for name in os.listdir(self.world.path("ca"))}

        said = self.refused([FEDCTL, "ca", "init", "--dir", self.world.path("ca")])

        self.assertIn(self.world.path("ca"), said)
        for name, time in before.items():
            self.assertEqual(os.stat(self.world.path("ca", name)).st_mtime_ns, time)

    def test_keys_are_for_their_owner_only(self):
        for name in os.listdir(self.world.path("ca")):
            if name.endswith(".key"):
                self.assertEqual(os.stat(self.world.path("ca", name)).st_mode & 0o077, 0, name)


if __name__ == "__main__":
    unittest.main()
