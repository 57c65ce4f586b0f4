"""Drives the simulator with two clients for DingTalk, as an integrator's code would.

`dingtalk-sdk` speaks the old generation, the official `alibabacloud_dingtalk` the new one. What they parse into their own
models is what they accept as DingTalk. The simulator runs on a free loopback port and is stopped by its own process id.
"""

import json
import os
import queue
import subprocess
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from alibabacloud_dingtalk.contact_1_0 import models as contact_models
from alibabacloud_dingtalk.contact_1_0.client import Client as ContactClient
from alibabacloud_dingtalk.hrm_1_0 import models as hrm_models
from alibabacloud_dingtalk.hrm_1_0.client import Client as HrmClient
from alibabacloud_dingtalk.oauth2_1_0 import models as oauth2_models
from alibabacloud_dingtalk.oauth2_1_0.client import Client as Oauth2Client
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_util.models import RuntimeOptions
from dingtalk import AppKeyClient
from dingtalk.core.exceptions import DingTalkClientException
from dingtalk.crypto import DingTalkCrypto

PEOPLE = 200


class Server:
    """The simulator as a process of its own."""

    def __init__(self, *options):
        command = [os.environ["SIMULATOR_BIN"], "--platform", "dingtalk", "--listen", "127.0.0.1:0"]
        command += ["--people", str(PEOPLE), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.facts = dict(self.process.stdout.readline().split(None, 1) for _ in range(4))
        self.facts = {key: value.strip() for key, value in self.facts.items()}

    def old(self):
        """A client of the old generation."""
        client = type("Client", (AppKeyClient,), {"API_BASE_URL": self.facts["dingtalk"] + "/"})
        return client("dingcorp", self.facts["app_id"], self.facts["app_secret"])

    def new(self, kind):
        """A client of the new generation."""
        return kind(Config(protocol="http", endpoint=self.facts["dingtalk"].removeprefix("http://")))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class DingTalkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.old = cls.server.old()
        cls.departments = cls.all_departments()
        cls.people = cls.all_people()

    @classmethod
    def ask(cls, path, **body):
        return cls.old.post("/topapi/" + path, body)["result"]

    @classmethod
    def all_departments(cls):
        found, left = [], [1]
        while left:
            children = cls.ask("v2/department/listsub", dept_id=left.pop())
            found += children
            left += [child["dept_id"] for child in children]
        return found

    @classmethod
    def all_people(cls):
        found = {}
        for department in [1] + [department["dept_id"] for department in cls.departments]:
            page = {"has_more": True, "next_cursor": 0}
            while page["has_more"]:
                cursor = page["next_cursor"]
                page = cls.ask("v2/user/list", dept_id=department, cursor=cursor, size=20)
                found.update((person["userid"], person) for person in page["list"])
        return found

    def test_everyone_is_found_through_the_tree(self):
        self.assertEqual(len(self.people), PEOPLE)
        self.assertEqual(self.ask("user/count", only_active=False)["count"], PEOPLE)
        ids = {department["dept_id"] for department in self.departments}
        for person in self.people.values():
            self.assertLessEqual(set(person["dept_id_list"]) - {1}, ids)

    def test_one_person_is_the_same_by_every_way(self):
        userid, listed = next(iter(self.people.items()))
        whole = self.ask("v2/user/get", userid=userid)
        for field in ("unionid", "name", "mobile", "job_number", "dept_id_list"):
            self.assertEqual(whole[field], listed[field])
        self.assertEqual(self.ask("v2/user/getbymobile", mobile=whole["mobile"])["userid"], userid)
        self.assertEqual(self.ask("user/getbyunionid", unionid=whole["unionid"])["userid"], userid)

    def test_the_range_is_everyone(self):
        scopes = self.old.user.auth_scopes()
        self.assertEqual(scopes["auth_org_scopes"]["authed_dept"], [1])

    def test_results_and_punches_agree(self):
        people = list(self.people)[:50]
        first, last = "2026-03-25 00:00:00", "2026-03-31 00:00:00"
        results, offset = [], 0
        while True:
            page = self.old.attendance.list(first, last, people, offset=offset, limit=50)
            results += page["recordresult"]
            if not page["hasMore"]:
                break
            offset += 50
        swipes = self.old.attendance.list_record(people, first, "2026-03-31 23:00:00")
        made = {swipe["id"] for swipe in swipes if "invalidRecordType" not in swipe}
        based = {result["recordId"] for result in results if "recordId" in result}
        self.assertTrue(based)
        self.assertLessEqual(based, made)
        missing = [result for result in results if result["timeResult"] == "NotSigned"]
        self.assertTrue(all(result["userCheckTime"] == result["baseCheckTime"] for result in missing))

    def test_an_error_reaches_the_client_with_its_code(self):
        with self.assertRaises(DingTalkClientException) as raised:
            self.ask("v2/user/get", userid="nobody")
        self.assertEqual(raised.exception.errcode, 60121)

    def new_headers(self, kind):
        client = self.server.new(Oauth2Client)
        facts = self.server.facts
        request = oauth2_models.GetAccessTokenRequest(
            app_key=facts["app_id"], app_secret=facts["app_secret"]
        )
        token = client.get_access_token(request).body
        self.assertEqual(token.expire_in, 7200)
        return kind(x_acs_dingtalk_access_token=token.access_token)

    def test_the_new_generation_hands_out_the_same_token(self):
        headers = self.new_headers(contact_models.ListEmpLeaveRecordsHeaders)
        self.assertEqual(headers.x_acs_dingtalk_access_token, self.old.access_token)

    def test_the_official_client_reads_who_left(self):
        headers = self.new_headers(contact_models.ListEmpLeaveRecordsHeaders)
        request = contact_models.ListEmpLeaveRecordsRequest(
            start_time="2026-01-01T00:00:00Z",
            end_time="2026-04-01T00:00:00Z",
            next_token="0",
            max_results=50,
        )
        client = self.server.new(ContactClient)
        body = client.list_emp_leave_records_with_options(request, headers, RuntimeOptions()).body
        self.assertTrue(body.records)
        for record in body.records:
            self.assertNotIn(record.user_id, self.people)

    def test_the_official_client_reads_the_roster(self):
        headers = self.new_headers(hrm_models.GetEmployeeRosterByFieldHeaders)
        request = hrm_models.GetEmployeeRosterByFieldRequest(
            app_agent_id=7, user_id_list=list(self.people)[:3], field_filter_list=["sys00-jobNumber"]
        )
        client = self.server.new(HrmClient)
        body = client.get_employee_roster_by_field_with_options(request, headers, RuntimeOptions()).body
        numbers = [entry.field_data_list[0].field_value_list[0].value for entry in body.result]
        self.assertEqual(numbers, [self.people[entry.user_id]["job_number"] for entry in body.result])
        self.assertEqual(len(numbers), 3)

    def test_a_refusal_of_the_new_generation_is_the_clients_own_exception(self):
        headers = contact_models.ListEmpLeaveRecordsHeaders(x_acs_dingtalk_access_token="another")
        request = contact_models.ListEmpLeaveRecordsRequest(start_time="2026-01-01T00:00:00Z")
        client = self.server.new(ContactClient)
        with self.assertRaises(Exception) as raised:
            client.list_emp_leave_records_with_options(request, headers, RuntimeOptions())
        self.assertEqual(raised.exception.code, "InvalidAuthentication")


class RefusalTest(unittest.TestCase):
    def test_a_token_that_ran_out_is_renewed_by_the_client(self):
        # The client knows the code only where the gateway does not wrap it.
        server = Server("--fault", "expired-token:1x@scopes")
        self.addCleanup(server.stop)
        scopes = server.old().user.auth_scopes()
        self.assertEqual(scopes["auth_org_scopes"]["authed_dept"], [1])


class CallbackTest(unittest.TestCase):
    """Another implementation's crypto judges what the simulator pushes, and writes what it takes for an answer."""

    TOKEN = "simulatortoken0001"
    AES_KEY = "simulator0aes0key0simulator0aes0key0simulaz"

    def test_a_pushed_event_decrypts_and_its_answer_is_taken(self):
        crypto = DingTalkCrypto(self.TOKEN, self.AES_KEY, "dingsimulator0001")
        received = queue.Queue()

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                event = crypto.decrypt_message(body, query["signature"], query["timestamp"], query["nonce"])
                received.put(json.loads(event))
                answer = json.dumps(crypto.encrypt_message("success")).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        listener = HTTPServer(("127.0.0.1", 0), Receiver)
        self.addCleanup(listener.server_close)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        self.addCleanup(listener.shutdown)
        address = f"http://127.0.0.1:{listener.server_port}/callbacks/acme/dingtalk"
        server = Server(
            "--callback", address, "--callback-token", self.TOKEN, "--callback-key", self.AES_KEY, "--step-every", "1"
        )
        self.addCleanup(server.stop)
        self.assertEqual(received.get(timeout=20), {"EventType": "check_url"}, "the address is tried first")
        event = received.get(timeout=20)
        self.assertIn("EventType", event)
        seen = {event["eventId"]}
        for _ in range(3):
            seen.add(received.get(timeout=20)["eventId"])
        self.assertEqual(len(seen), 4, "what was answered does not come again")


if __name__ == "__main__":
    unittest.main()
