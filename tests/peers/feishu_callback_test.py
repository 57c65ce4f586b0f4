"""Receives what the simulator pushes with the official Feishu client, lark-oapi, as an integrator's server would.

The client verifies, decrypts and parses every event; what it refuses is no event of Feishu. The first delivery of each
event is turned away, so that all of them come by the platform's repetition.
"""

import http.server
import os
import subprocess
import threading
import unittest

import lark_oapi as lark
from lark_oapi.core.model import RawRequest

KEY, TOKEN = "example encrypt key", "example verification token"
EVENTS = [
    "contact_user_created_v3",
    "contact_user_updated_v3",
    "contact_user_deleted_v3",
    "contact_department_created_v3",
    "contact_department_updated_v3",
    "contact_department_deleted_v3",
]


class Receiver:
    """A server whose answers are the client's own; it turns every event away once."""

    def __init__(self, key=KEY, token=TOKEN):
        self.taken, self.met, self.refused = [], set(), 0
        self.enough = threading.Event()
        builder = lark.EventDispatcherHandler.builder(key, token, lark.LogLevel.CRITICAL)
        for name in EVENTS:
            getattr(builder, f"register_p2_{name}")(self.take)
        builder.register_p2_customized_event("attendance.user_flow.created_v1", self.take)
        handler, receiver = builder.build(), self

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = RawRequest()
                request.uri = self.path
                request.headers = {name.title(): value for name, value in self.headers.items()}
                request.body = self.rfile.read(int(self.headers["content-length"]))
                receiver.answer(self, handler, request)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        # The simulator may be stopped while an answer is on its way to it.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, connection, handler, request):
        first = "X-Lark-Signature" in request.headers and request.body not in self.met
        self.met.add(request.body)
        status, body = 500, b"{}"
        if not first:
            response = handler.do(request)
            status, body = response.status_code, response.content
            self.refused += status != 200
        connection.send_response(status)
        connection.send_header("content-type", "application/json")
        connection.send_header("content-length", str(len(body)))
        connection.end_headers()
        connection.wfile.write(body)

    def take(self, event):
        self.taken.append((event.header.event_id, event.header.event_type, event.event))
        if len({kind for _, kind, _ in self.taken}) >= 4:
            self.enough.set()

    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/feishu"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def simulator(receiver, key=KEY, token=TOKEN):
    command = [os.environ["SIMULATOR_BIN"], "--listen", "127.0.0.1:0", "--people", "300", "--step-every", "1"]
    command += ["--push-repeats", "0,0,0", "--callback", receiver.url(), "--callback-token", token]
    command += ["--callback-key", key] if key else []
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


class Callback(unittest.TestCase):
    def receive(self, key):
        receiver = Receiver(key=key)
        process = simulator(receiver, key=key)
        try:
            self.assertTrue(receiver.enough.wait(60), receiver.taken)
        finally:
            process.terminate()
            process.wait(timeout=10)
            process.stderr.close()
            receiver.stop()
        return receiver

    def test_encrypted_and_signed_events_are_taken(self):
        receiver = self.receive(KEY)
        self.assertEqual(receiver.refused, 0)
        ids = [event_id for event_id, _, _ in receiver.taken]
        self.assertEqual(len(ids), len(set(ids)))
        hired = [event for _, kind, event in receiver.taken if kind == "contact.user.created_v3"]
        self.assertTrue(hired and all(event.object.user_id and event.object.name for event in hired))

    def test_events_in_the_clear_are_taken_by_their_token(self):
        receiver = Receiver(key="")
        process = simulator(receiver, key=None)
        try:
            # Unsigned, so nothing is turned away.
            self.assertTrue(receiver.enough.wait(60), receiver.taken)
        finally:
            process.terminate()
            process.wait(timeout=10)
            process.stderr.close()
            receiver.stop()
        self.assertEqual(receiver.refused, 0)

    def test_an_address_with_another_token_is_not_pushed_to(self):
        receiver = Receiver(token="another token")
        process = simulator(receiver)
        try:
            self.assertEqual(process.wait(timeout=30), 1)
            self.assertIn("answered the trial with status 500", process.stderr.read())
        finally:
            process.kill()
            process.stderr.close()
            receiver.stop()
        self.assertEqual(receiver.taken, [])


if __name__ == "__main__":
    unittest.main()
