"""Listens to the simulator's long connection with the official Feishu client's own WebSocket client.

Every scenario has a simulator and a client of its own, the client in a process of its own: it knows no way to stop. What it
hands to its handlers counts as received; that the sequence numbers of the events have no hole shows that nothing was lost.
"""

import multiprocessing
import queue
import time
import unittest

from feishu_test import Server

KINDS = {
    "contact.user.created_v3",
    "contact.user.updated_v3",
    "contact.user.deleted_v3",
    "contact.department.created_v3",
    "contact.department.updated_v3",
    "contact.department.deleted_v3",
    "attendance.user_flow.created_v1",
}
PATIENCE = 60
PATIENCE_IN_ALL = 180


def listen(facts, secret, fail_first, out):
    """What an integrator's program does: handlers, a client, start."""
    import lark_oapi as lark

    failed = set()

    def take(event):
        header = event.header
        if fail_first and header.event_id not in failed:
            failed.add(header.event_id)
            raise RuntimeError("the handler fails once for every event")
        out.put(("event", header.event_type, header.event_id, client._ping_interval))

    builder = lark.EventDispatcherHandler.builder("", "")
    for kind in ("user", "department"):
        for what in ("created", "updated", "deleted"):
            builder = getattr(builder, f"register_p2_contact_{kind}_{what}_v3")(take)
    builder = builder.register_p2_customized_event("attendance.user_flow.created_v1", take)
    client = lark.ws.Client(
        facts["app_id"], secret, event_handler=builder.build(), domain=facts["feishu"], log_level=lark.LogLevel.CRITICAL
    )
    client.on_reconnected = lambda: out.put(("reconnected",))
    try:
        client.start()
    except Exception as error:
        out.put(("error", type(error).__name__, getattr(error, "code", None)))


class Listener:
    """A simulator in which something happens every second, and a client that listens."""

    def __init__(self, *options, secret=None, fail_first=False):
        self.server = Server("--step-every", "1", "--stream-pace", "1,0,1", "--push-repeats", "1,1,1", *options)
        spawn = multiprocessing.get_context("spawn")
        self.out = spawn.Queue()
        arguments = (self.server.facts, secret or self.server.facts["app_secret"], fail_first, self.out)
        self.process = spawn.Process(target=listen, args=arguments, daemon=True)
        self.process.start()

    def until(self, enough):
        """What the client says until it is enough."""
        said, end = [], time.monotonic() + PATIENCE_IN_ALL
        while not enough(said):
            if time.monotonic() > end:
                raise AssertionError(f"not enough after {PATIENCE_IN_ALL} seconds: {said[-20:]}")
            try:
                said.append(self.out.get(timeout=PATIENCE))
            except queue.Empty:
                raise AssertionError(f"the client fell silent after {said[-5:]}") from None
        return said

    def stop(self):
        self.process.terminate()
        self.process.join(10)
        self.server.stop()


def numbers(said):
    """The sequence numbers of events, which count every change of the world."""
    return [int(one[2].rsplit("-", 1)[1]) for one in said if one[0] == "event"]


def without_hole(said, count):
    found = set(numbers(said))
    return len(found) >= count and max(found) - min(found) + 1 == len(found)


class FeishuStreamTest(unittest.TestCase):
    def listener(self, *options, **more):
        listener = Listener(*options, **more)
        self.addCleanup(listener.stop)
        return listener

    def test_every_event_reaches_its_handler_once(self):
        said = self.listener().until(lambda said: KINDS <= {one[1] for one in said})
        found = numbers(said)
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(said[-1][3], 1, "the pace of pings comes from the platform")

    def test_an_event_in_pieces_is_put_together(self):
        said = self.listener("--fault", "fragments:1.0@stream").until(lambda said: without_hole(said, 10))
        self.assertEqual(len(numbers(said)), len(set(numbers(said))))

    def test_what_a_handler_did_not_take_comes_again(self):
        self.listener(fail_first=True).until(lambda said: without_hole(said, 10))

    def test_nothing_is_lost_with_a_connection_that_is_cut(self):
        listener = self.listener("--fault", "cut:2x@stream")
        said = listener.until(lambda said: without_hole(said, 10) and said.count(("reconnected",)) >= 2)
        self.assertNotIn("error", {one[0] for one in said})

    def test_a_connection_that_the_platform_closes_is_made_again(self):
        listener = self.listener("--fault", "farewell:1x@stream")
        listener.until(lambda said: without_hole(said, 10) and ("reconnected",) in said)

    def test_an_event_whose_acknowledgement_was_lost_comes_twice(self):
        listener = self.listener("--fault", "lost-ack:3x@stream")
        said = listener.until(lambda said: without_hole(said, 10) and len(numbers(said)) - len(set(numbers(said))) >= 3)
        self.assertTrue(said)

    def test_a_wrong_secret_is_the_client_s_fault(self):
        said = self.listener(secret="not the secret").until(len)
        self.assertEqual(said, [("error", "ClientException", 10014)])


if __name__ == "__main__":
    unittest.main()
