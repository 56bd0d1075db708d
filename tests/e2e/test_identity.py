"""Devices that may not take part end, and say what to do."""
import os
import unittest

from harness import E2eTest, World, await_true


class IdentityTest(E2eTest):
    def setUp(self):
        super().setUp()
        if self.world.books.job_state("open") is None:
            self.world.create_job("open", rounds={"cohort": 1, "pool_min": 1000})

    def ended(self, clients):
        self.assertEqual(clients.await_end(), 1, clients.tail())
        return clients.output()

    def enrolled(self, clients):
        return await_true(
            lambda: [one for one in self.world.fedctl_json("client", "list").get("clients", [])
                     if one["waiting"]], "a device to wait for work", [clients])[0]["id"]

    def test_a_token_of_another_authority_is_refused(self):
        other = World()
        self.addCleanup(other.end)
        other.start_server()

        clients = self.world.clients("open", 1, devices="strange", token=other.token())

        said = self.ended(clients)
        self.assertIn("it is not the server of the token", said)

    def test_a_used_up_token_says_how_to_get_another(self):
        token = self.world.token(uses=1)
        first = self.world.clients("open", 1, devices="first", token=token)
        self.enrolled(first)

        second = self.world.clients("open", 1, devices="second", token=token)

        said = self.ended(second)
        self.assertIn("enrollment token is unknown, used up or expired", said)
        self.assertIn("fedctl enroll-token", said)
        self.assertIsNone(first.poll(), "the first one goes on")

    def test_text_that_is_no_token_is_refused(self):
        token = self.world.write("nonsense.token", "nonsense\n")

        clients = self.world.clients("open", 1, devices="third", token=token)
        self.assertIn("token", self.ended(clients))

    def test_an_empty_token_file_says_how_to_get_one(self):
        token = self.world.write("empty.token", "\n")

        said = self.ended(self.world.clients("open", 1, devices="third", token=token))
        self.assertIn("fedctl enroll-token", said)

    def test_a_revoked_device_ends_and_stays_out(self):
        clients = self.world.clients("open", 1, devices="revoked")
        client = self.enrolled(clients)

        shown = self.world.fedctl_json("client", "revoke", client[:12])

        self.assertTrue(shown["revoked"])
        self.assertIn("revoked", self.ended(clients))
        again = self.world.clients("open", 1, devices="revoked")
        self.assertIn("revoked", self.ended(again))
        self.assertRegex(self.world.fedctl("client", "list"), rf"{client[:12]} .* revoked")

    def test_two_processes_with_the_same_device_are_refused(self):
        first = self.world.clients("open", 1, devices="twice")
        self.enrolled(first)

        second = self.world.clients("open", 1, devices="twice")

        self.assertIn(f"in use by process {first.pid}", self.ended(second))

    def test_fedctl_with_another_authoritys_certificate_says_what_to_check(self):
        other = self.world.path("other-ca")
        self.world.fedctl("ca", "init", "--dir", other)

        done = self.world.call_fedctl("job", "list", "--certs", other)

        self.assertEqual(done.returncode, 1)
        self.assertIn("do the certificates in", done.stderr)

    def test_fedctl_without_certificates_names_the_file(self):
        done = self.world.call_fedctl("job", "list", "--certs", self.world.path("nowhere"))

        self.assertEqual(done.returncode, 1)
        self.assertIn(os.path.join("nowhere", "operator.pem"), done.stderr)
        self.assertIn("fedctl ca init", done.stderr)

    def test_a_viewer_may_look_and_not_touch(self):
        # Its certificate comes from a device's enrollment: the same way, another role.
        token = self.world.token(role="viewer")
        self.world.clients("open", 1, devices="viewer", token=token)
        folder = self.world.path("viewer", "client-0000")
        await_true(lambda: os.path.exists(os.path.join(folder, "cert.pem")), "its certificate")
        certs = self.world.path("viewer-certs")
        os.makedirs(certs)
        for theirs, ours in (("cert.pem", "operator.pem"), ("key.pem", "operator.key"),
                             ("root.pem", "root.pem")):
            os.symlink(os.path.join(folder, theirs), os.path.join(certs, ours))

        looked = self.world.call_fedctl("job", "list", "--certs", certs)
        touched = self.world.call_fedctl("job", "pause", "open", "--certs", certs)

        self.assertEqual(looked.returncode, 0, looked.stderr)
        self.assertEqual(touched.returncode, 1)
        self.assertIn("role viewer may not call", touched.stderr)


if __name__ == "__main__":
    unittest.main()
