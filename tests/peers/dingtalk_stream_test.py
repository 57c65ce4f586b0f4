"""Listens to the simulator's Stream with dingtalk-stream, DingTalk's own client.

Every scenario has a simulator and a client of its own, the client in a process of its own: it knows no way to stop. That the
sequence numbers in the ids of the events have no hole shows that nothing was lost.
"""

import multiprocessing
import os
import queue
import subprocess
import time
import unittest

KINDS = {
    "user_add_org",
    "user_modify_org",
    "user_leave_org",
    "org_dept_create",
    "org_dept_modify",
    "org_dept_remove",
    "attendance_check_record",
}
PATIENCE = 60
PATIENCE_IN_ALL = 180


def listen(facts, secret, fail_first, out):
    """What an integrator's program does: a handler, a client, start."""
    import logging

    import dingtalk_stream

    class Handler(dingtalk_stream.EventHandler):
        failed = set()

        async def process(self, event):
            headers = event.headers
            if fail_first and headers.event_id not in self.failed:
                self.failed.add(headers.event_id)
                return dingtalk_stream.AckMessage.STATUS_SYSTEM_EXCEPTION, "the handler fails once for every event"
            out.put((headers.event_type, headers.event_id, sorted(event.data)))
            return dingtalk_stream.AckMessage.STATUS_OK, "OK"

    logger = logging.getLogger("silent")
    logger.setLevel(logging.CRITICAL + 1)
    client = dingtalk_stream.DingTalkStreamClient(dingtalk_stream.Credential(facts["app_id"], secret), logger)
    client.OPEN_CONNECTION_API = dingtalk_stream.DingTalkStreamClient.OPEN_CONNECTION_API = (
        facts["dingtalk"] + "/v1.0/gateway/connections/open"
    )
    client.get_host_ip = lambda: "127.0.0.1"
    client.register_all_event_handler(Handler())
    if client.open_connection() is None:
        out.put(("refused", "", []))
        return
    client.start_forever()


class Listener:
    """A simulator in which something happens every second, and a client that listens."""

    def __init__(self, *options, secret=None, fail_first=False):
        command = [os.environ["SIMULATOR_BIN"], "--platform", "dingtalk", "--listen", "127.0.0.1:0", "--people", "300"]
        command += ["--step-every", "1", "--push-repeats", "1,1,1", *options]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        facts = dict(self.server.stdout.readline().split(None, 1) for _ in range(4))
        facts = {key: value.strip() for key, value in facts.items()}
        spawn = multiprocessing.get_context("spawn")
        self.out = spawn.Queue()
        arguments = (facts, secret or facts["app_secret"], fail_first, self.out)
        self.process = spawn.Process(target=listen, args=arguments, daemon=True)
        self.process.start()

    def until(self, enough):
        """What the client takes until it is enough."""
        taken, end = [], time.monotonic() + PATIENCE_IN_ALL
        while not enough(taken):
            if time.monotonic() > end:
                raise AssertionError(f"not enough after {PATIENCE_IN_ALL} seconds: {taken[-20:]}")
            try:
                taken.append(self.out.get(timeout=PATIENCE))
            except queue.Empty:
                raise AssertionError(f"the client fell silent after {taken[-5:]}") from None
        return taken

    def stop(self):
        self.process.terminate()
        self.process.join(10)
        self.server.terminate()
        self.server.wait(timeout=10)
        self.server.stdout.close()


def numbers(taken):
    """The sequence numbers of events, which count every change of the world."""
    return [int(event_id[8:], 16) for _, event_id, _ in taken]


def without_hole(taken, count):
    found = set(numbers(taken))
    return len(found) >= count and max(found) - min(found) + 1 == len(found)


class DingTalkStreamTest(unittest.TestCase):
    def listener(self, *options, **more):
        listener = Listener(*options, **more)
        self.addCleanup(listener.stop)
        return listener

    def test_every_event_reaches_its_handler_once(self):
        taken = self.listener().until(lambda taken: KINDS <= {kind for kind, _, _ in taken})
        self.assertEqual(len(taken), len(set(numbers(taken))))
        business = {kind: members for kind, _, members in taken}
        self.assertEqual(business["user_add_org"], ["timeStamp", "userId"])
        self.assertEqual(business["org_dept_create"], ["deptId", "timeStamp"])

    def test_an_event_in_pieces_is_put_together(self):
        self.listener("--fault", "fragments:1.0@stream").until(lambda taken: without_hole(taken, 10))

    def test_what_a_handler_did_not_take_comes_again(self):
        self.listener(fail_first=True).until(lambda taken: without_hole(taken, 10))

    def test_nothing_is_lost_with_a_connection_that_is_announced_to_be_dropped(self):
        self.listener("--fault", "farewell:1x@stream").until(lambda taken: without_hole(taken, 20))

    def test_nothing_is_lost_with_a_connection_that_is_cut(self):
        self.listener("--fault", "cut:1x@stream").until(lambda taken: without_hole(taken, 20))

    def test_a_wrong_secret_opens_nothing(self):
        self.assertEqual(self.listener(secret="not the secret").until(len), [("refused", "", [])])


if __name__ == "__main__":
    unittest.main()
