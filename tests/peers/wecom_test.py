"""Drives the simulator with wechatpy's WeCom client, as an integrator's code would.

What the client takes for a success is what it accepts as WeCom, and what its cryptography opens is what WeCom would have
sent. The simulator runs on a free loopback port and is stopped by its own process id.
"""

import os
import queue
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import xmltodict
from wechatpy.exceptions import InvalidSignatureException, WeChatClientException
from wechatpy.session.memorystorage import MemoryStorage
from wechatpy.work import WeChatClient, parse_message
from wechatpy.work.crypto import WeChatCrypto
from wechatpy.work.exceptions import InvalidCorpIdException

PEOPLE = 300
FIRST_INSTANT, LAST_INSTANT = 1774454400, 1774940400
TODAY = 1774886400
CONTACTS_SECRET = "simulator-contacts-0001"
TOKEN = "simulatorToken"
# A key with bits in its last character that no byte needs, as the console makes most of them.
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


class Server:
    """The simulator as a process of its own."""

    def __init__(self, *options):
        command = [os.environ["SIMULATOR_BIN"], "--platform", "wecom", "--listen", "127.0.0.1:0"]
        command += ["--people", str(PEOPLE), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        facts = [self.process.stdout.readline().split(None, 1) for _ in range(4)]
        self.facts = {key: value.strip() for key, value in facts}

    def client(self, secret=None):
        base = self.facts["wecom"] + "/cgi-bin/"

        class Client(WeChatClient):
            """The client, told where its platform is."""

            API_BASE_URL = base

            def fetch_access_token(self):
                return self._fetch_access_token(
                    url=base + "gettoken", params={"corpid": self.corp_id, "corpsecret": self.secret}
                )

        return Client(self.facts["app_id"], secret or self.facts["app_secret"], session=MemoryStorage())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class WeComTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.client = cls.server.client()
        cls.departments = cls.client.department.list()
        listed = [cls.client.user.list(department["id"]) for department in cls.departments]
        cls.users = {user["userid"]: user for users in listed for user in users}

    def code_of(self, call):
        with self.assertRaises(WeChatClientException) as caught:
            call()
        return caught.exception.errcode

    def test_departments_form_one_tree(self):
        ids = {department["id"] for department in self.departments}
        self.assertGreater(len(ids), 10)
        for department in self.departments:
            self.assertTrue(department["id"] == 1 or department["parentid"] in ids)
        one = self.client.department.get(self.departments[3]["id"])
        self.assertEqual(one["name"], self.departments[3]["name"])

    def test_contacts_sync_counts_what_the_app_lists(self):
        contacts = self.server.client(CONTACTS_SECRET)
        self.assertEqual(len(contacts.department.simple_list()), len(self.departments))
        rows, cursor = [], ""
        while True:
            page = contacts.post("user/list_id", data={"cursor": cursor, "limit": 100})
            rows += page["dept_user"]
            cursor = page["next_cursor"]
            if not cursor:
                break
        self.assertEqual({row["userid"] for row in rows}, set(self.users))
        self.assertEqual(len(self.users), PEOPLE)
        self.assertEqual(self.code_of(lambda: contacts.user.get("E000001")), 48009)
        self.assertEqual(self.code_of(lambda: self.client.post("user/list_id", data={})), 48002)

    def test_people_are_found_by_account_in_any_case_and_by_mobile(self):
        for userid in list(self.users)[:5]:
            user = self.client.user.get(userid.lower())
            self.assertEqual(user["name"], self.users[userid]["name"])
            self.assertNotIn("mobile", user)
        self.assertEqual(self.client.user.getuserid("13800000007"), "E000008")
        self.assertEqual(self.code_of(lambda: self.client.user.get("nobody")), 60111)

    def test_the_app_knows_its_own_range(self):
        self.assertEqual(self.client.agent.get(1000002)["allow_partys"], {"partyid": [1]})
        self.assertEqual(self.code_of(lambda: self.client.agent.get(7)), 301002)

    def test_punches_and_day_reports_belong_to_those_asked_for(self):
        people = sorted(self.users)[:100]
        asked = {"starttime": FIRST_INSTANT, "endtime": LAST_INSTANT, "useridlist": people}
        punches = self.client.post(
            "checkin/getcheckindata", data={"opencheckindatatype": 3, **asked}
        )["checkindata"]
        self.assertGreater(len(punches), 100)
        for punch in punches:
            self.assertIn(punch["userid"], people)
            self.assertTrue(FIRST_INSTANT <= punch["checkin_time"] <= LAST_INSTANT)
        days = {"starttime": TODAY, "endtime": TODAY, "useridlist": people}
        reports = self.client.post("checkin/getcheckin_daydata", data=days)["datas"]
        self.assertGreater(len(reports), 50)
        self.assertEqual({report["base_info"]["date"] for report in reports}, {TODAY})

    def test_a_token_that_is_refused_is_fetched_again_by_the_client(self):
        client = self.server.client()
        client.department.list()
        client.session.set(client.access_token_key, "stale")
        self.assertEqual(len(client.department.list()), len(self.departments))

    def test_a_wrong_secret_is_refused(self):
        wrong = self.server.client("wrong")
        self.assertEqual(self.code_of(wrong.department.list), 40001)


class Receiver(BaseHTTPRequestHandler):
    """A callback as wechatpy's users write it."""

    pushed = queue.Queue()
    crypto = None

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signed(self):
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        return query["msg_signature"], query["timestamp"], query["nonce"], query.get("echostr")

    def do_GET(self):
        signature, timestamp, nonce, echo = self.signed()
        word = self.crypto.check_signature(signature, timestamp, nonce, echo)
        self.answer(word.encode() if isinstance(word, str) else word)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        signature, timestamp, nonce, _ = self.signed()
        self.pushed.put((body, signature, timestamp, nonce))
        self.answer(b"")

    def log_message(self, *args):
        pass


class CallbackServer(ThreadingHTTPServer):
    """Serves callbacks; the simulator may stop in the middle of one."""

    def handle_error(self, request, client_address):
        pass


class CallbackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = CallbackServer(("127.0.0.1", 0), Receiver)
        cls.addClassCleanup(cls.receiver.server_close)
        threading.Thread(target=cls.receiver.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.receiver.shutdown)
        address = f"http://127.0.0.1:{cls.receiver.server_port}/callback"
        Receiver.crypto = WeChatCrypto(TOKEN, KEY, "wwsimulator0001")
        keys = ["--callback-token", TOKEN, "--callback-key", KEY]
        cls.server = Server("--step-every", "1", "--callback", address, *keys)
        cls.addClassCleanup(cls.server.stop)

    def test_wechatpy_opens_every_event_and_reads_whom_it_is_from(self):
        kinds = set()
        for _ in range(12):
            sealed, signature, timestamp, nonce = Receiver.pushed.get(timeout=20)
            opened = Receiver.crypto.decrypt_message(sealed, signature, timestamp, nonce)
            event = parse_message(opened)
            fields = xmltodict.parse(opened)["xml"]
            self.assertEqual((event.source, event.target), ("sys", "wwsimulator0001"))
            self.assertEqual(fields["Event"], "change_contact")
            self.assertTrue(fields.get("UserID") or fields.get("Id"))
            kinds.add(fields["ChangeType"])
        self.assertIn("create_user", kinds)
        with self.assertRaises(InvalidSignatureException):
            Receiver.crypto.decrypt_message(sealed, signature, timestamp, nonce + "0")
        other = WeChatCrypto(TOKEN, KEY, "wwanother")
        with self.assertRaises(InvalidCorpIdException):
            other.decrypt_message(sealed, signature, timestamp, nonce)


if __name__ == "__main__":
    unittest.main()
