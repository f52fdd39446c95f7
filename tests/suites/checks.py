"""What the suites share: a client from the environment, checks that are counted, resources that are deleted in the end."""

import os
import sys

from scimhttp import MESSAGES, Client


class Checks:
    def __init__(self, name):
        """`name` stands in the closing line. Reads BASE_URL, TOKEN and CA."""
        self.name, self.section, self.passed, self.failures, self.made = name, "", 0, [], []
        self.client = Client(os.environ["BASE_URL"], os.environ["TOKEN"], os.environ.get("CA") or None)
        # A number for a string is forgiven to clients that send it, and only where habits are forgiven.
        self.strict = self.client.query("/Users", filter="userName eq 5").status == 400

    def check(self, what, holds, shown=""):
        if holds:
            self.passed += 1
        else:
            self.failures.append(f"[{self.section}] {what}: {str(shown)[:600]}")

    def refused(self, what, reply, status, kind=None):
        """A SCIM error: status in the line and in the body, schema, scimType."""
        body = reply.json if isinstance(reply.json, dict) else {}
        good = reply.status == status and body.get("status") == str(status) and (kind is None or reply.kind == kind)
        self.check(what, good and body.get("schemas") == [MESSAGES + "Error"], f"wanted {status} {kind}, got {reply!r}")

    def create(self, body, path="/Users"):
        reply = self.client.post(path, body)
        assert reply.status == 201, f"{path}: {reply!r}"
        self.made.append(f"{path}/{reply.json['id']}")
        return reply.json

    def run(self, sections, begin):
        """Runs the sections named on the command line, or all; `begin` goes before each. Ends the process: 1 if anything failed."""
        try:
            for self.section in sys.argv[1:] or sections:
                begin()
                try:
                    sections[self.section]()
                except Exception as error:  # One section's accident must not hide the others' findings.
                    trace = error.__traceback__
                    while trace.tb_next:
                        trace = trace.tb_next
                    self.failures.append(f"[{self.section}] line {trace.tb_lineno}: {type(error).__name__}: {error}")
        finally:
            for path in reversed(self.made):
                self.client.delete(path)
        for failure in self.failures:
            print("FAIL", failure)
        print(f"{self.name}: {self.passed} passed, {len(self.failures)} failed")
        sys.exit(1 if self.failures else 0)
