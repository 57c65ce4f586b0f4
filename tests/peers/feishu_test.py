"""Drives the simulator with the official Feishu client, lark-oapi, as an integrator's code would.

What the client parses into its own models is what it accepts as Feishu; counts are compared with what the listings
themselves promise. The simulator runs on a free loopback port and is stopped by its own process id.
"""

import os
import subprocess
import unittest

import lark_oapi as lark
from lark_oapi.api.attendance.v1 import (
    GetShiftRequest,
    QueryUserFlowRequest,
    QueryUserFlowRequestBody,
    QueryUserTaskRequest,
    QueryUserTaskRequestBody,
)
from lark_oapi.api.auth.v3 import (
    InternalTenantAccessTokenRequest,
    InternalTenantAccessTokenRequestBody,
)
from lark_oapi.api.contact.v3 import (
    BatchUserRequest,
    ChildrenDepartmentRequest,
    FindByDepartmentUserRequest,
    GetDepartmentRequest,
    GetUserRequest,
)

PEOPLE = 300
FIRST_DAY, LAST_DAY = 20260302, 20260331
FIRST_INSTANT, LAST_INSTANT = 1772380800, 1774940401
PAGE = 50


class Server:
    """The simulator as a process of its own."""

    def __init__(self, *options):
        command = [os.environ["SIMULATOR_BIN"], "--listen", "127.0.0.1:0", "--people", str(PEOPLE), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.facts = dict(self.process.stdout.readline().split(None, 1) for _ in range(4))
        self.facts = {key: value.strip() for key, value in self.facts.items()}

    def client(self):
        return (
            lark.Client.builder()
            .domain(self.facts["feishu"])
            .app_id(self.facts["app_id"])
            .app_secret(self.facts["app_secret"])
            .log_level(lark.LogLevel.ERROR)
            .build()
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class FeishuTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.client = cls.server.client()
        cls.departments = cls.all_departments()
        cls.users = cls.all_users()

    @staticmethod
    def data(response):
        """The parsed data of an answer, which must be a success."""
        if not response.success():
            raise AssertionError(f"code {response.code}: {response.msg} (log id {response.get_log_id()})")
        return response.data

    @classmethod
    def pages(cls, ask):
        """All items of a listing; `ask` takes a page token or None."""
        token, items = None, []
        while True:
            data = cls.data(ask(token))
            items.extend(data.items or [])
            if not data.has_more:
                return items
            token = data.page_token

    @classmethod
    def all_departments(cls):
        def ask(token):
            request = (
                ChildrenDepartmentRequest.builder()
                .department_id("0")
                .department_id_type("open_department_id")
                .user_id_type("user_id")
                .fetch_child(True)
                .page_size(PAGE)
            )
            return cls.client.contact.v3.department.children(
                (request.page_token(token) if token else request).build()
            )

        return cls.pages(ask)

    @classmethod
    def members(cls, department):
        def ask(token):
            request = (
                FindByDepartmentUserRequest.builder()
                .department_id(department)
                .department_id_type("open_department_id")
                .user_id_type("user_id")
                .page_size(10)
            )
            return cls.client.contact.v3.user.find_by_department(
                (request.page_token(token) if token else request).build()
            )

        return cls.pages(ask)

    @classmethod
    def all_users(cls):
        found = {}
        for department in ["0", *(d.open_department_id for d in cls.departments)]:
            for user in cls.members(department):
                found[user.user_id] = user
        return found

    def test_the_token_endpoint_answers_the_clients_own_call(self):
        facts = self.server.facts
        body = (
            InternalTenantAccessTokenRequestBody.builder()
            .app_id(facts["app_id"])
            .app_secret(facts["app_secret"])
            .build()
        )
        request = InternalTenantAccessTokenRequest.builder().request_body(body).build()
        response = self.client.auth.v3.tenant_access_token.internal(request)
        self.assertTrue(response.success(), response.msg)
        answer = lark.JSON.unmarshal(response.raw.content.decode(), dict)
        self.assertTrue(answer["tenant_access_token"].startswith("t-"))
        self.assertLessEqual(answer["expire"], 7200)
        self.assertTrue(response.get_log_id(), "the client finds the trace id")

    def test_a_wrong_secret_is_an_error_of_the_client(self):
        facts = self.server.facts
        other = (
            lark.Client.builder().domain(facts["feishu"]).app_id("cli_other").app_secret("wrong").build()
        )
        request = GetDepartmentRequest.builder().department_id("0").build()
        with self.assertRaisesRegex(Exception, "99991543"):
            other.contact.v3.department.get(request)

    def test_the_tree_is_closed_and_its_records_are_parsed(self):
        known = {"0"} | {d.open_department_id for d in self.departments}
        self.assertGreater(len(self.departments), PAGE // 2)
        for department in self.departments:
            self.assertIn(department.parent_department_id, known)
            self.assertTrue(department.name)
            self.assertTrue(department.i18n_name.zh_cn)
            self.assertFalse(department.status.is_deleted)
            self.assertGreaterEqual(department.member_count, department.primary_member_count)
            self.assertIsInstance(department.member_count, int)
        request = GetDepartmentRequest.builder().department_id("0").build()
        root = self.data(self.client.contact.v3.department.get(request)).department
        self.assertEqual(root.member_count, PEOPLE)

    def test_every_employee_is_found_and_parsed(self):
        self.assertEqual(len(self.users), PEOPLE)
        departments = {"0"} | {d.open_department_id for d in self.departments}
        for user in self.users.values():
            self.assertTrue(user.open_id.startswith("ou_"))
            self.assertTrue(user.name and user.mobile and user.employee_no and user.job_title)
            self.assertIsInstance(user.join_time, int)
            self.assertIn(user.gender, (0, 1, 2, 3))
            self.assertIsInstance(user.status.is_activated, bool)
            self.assertLessEqual(set(user.department_ids), departments)
            self.assertEqual([o.department_id for o in user.orders if o.is_primary_dept], user.department_ids[:1])
            self.assertIn(user.leader_user_id, {None, *self.users})
            for attr in user.custom_attrs:
                self.assertTrue(attr.id.startswith("C-"))

    def test_a_batch_gives_the_same_people(self):
        asked = list(self.users)[:PAGE]
        request = BatchUserRequest.builder().user_ids(asked).user_id_type("user_id").build()
        items = self.data(self.client.contact.v3.user.batch(request)).items
        self.assertEqual([user.user_id for user in items], asked)
        self.assertEqual([user.name for user in items], [self.users[i].name for i in asked])

    def test_one_person_can_be_read_by_open_id(self):
        someone = next(iter(self.users.values()))
        request = GetUserRequest.builder().user_id(someone.open_id).user_id_type("open_id").build()
        user = self.data(self.client.contact.v3.user.get(request)).user
        self.assertEqual((user.user_id, user.name), (someone.user_id, someone.name))

    def flows(self, user_ids):
        body = (
            QueryUserFlowRequestBody.builder()
            .user_ids(user_ids)
            .check_time_from(str(FIRST_INSTANT))
            .check_time_to(str(LAST_INSTANT))
            .build()
        )
        request = QueryUserFlowRequest.builder().employee_type("employee_id").request_body(body).build()
        return self.data(self.client.attendance.v1.user_flow.query(request)).user_flow_results or []

    def tasks(self, user_ids):
        body = (
            QueryUserTaskRequestBody.builder()
            .user_ids(user_ids)
            .check_date_from(FIRST_DAY)
            .check_date_to(LAST_DAY)
            .build()
        )
        request = (
            QueryUserTaskRequest.builder()
            .employee_type("employee_id")
            .ignore_invalid_users(True)
            .request_body(body)
            .build()
        )
        return self.data(self.client.attendance.v1.user_task.query(request))

    def test_punches_and_results_fit_each_other(self):
        everyone = list(self.users)
        flows, tasks = {}, []
        for start in range(0, len(everyone), PAGE):
            some = everyone[start : start + PAGE]
            for flow in self.flows(some):
                self.assertNotIn(flow.record_id, flows)
                flows[flow.record_id] = flow
            tasks.extend(self.tasks(some).user_task_results)
        for flow in flows.values():
            self.assertIn(flow.user_id, self.users)
            self.assertTrue(FIRST_INSTANT <= int(flow.check_time) < LAST_INSTANT)
            self.assertIn(flow.type, (0, 2, 5, 6))
        days = {(task.user_id, task.day) for task in tasks}
        self.assertEqual(len(days), len(tasks))
        punched = set()
        for task in tasks:
            self.assertEqual(task.employee_name, self.users[task.user_id].name)
            self.assertTrue(FIRST_DAY <= task.day <= LAST_DAY)
            (record,) = task.records
            for record_id in (record.check_in_record_id, record.check_out_record_id):
                if record_id:
                    punched.add(record_id)
                    self.assertEqual(flows[record_id].user_id, task.user_id)
            self.assertTrue(int(record.check_in_shift_time) < int(record.check_out_shift_time))
        self.assertEqual(punched, set(flows))
        attending = [u for u in self.users.values() if not (u.status.is_frozen or u.status.is_unjoin)]
        self.assertGreater(len(flows), len(attending) * 20)
        results = {record.check_in_result for task in tasks for record in task.records}
        self.assertLessEqual({"Normal", "Late", "Lack"}, results)

    def test_an_unknown_person_is_named_as_invalid(self):
        answer = self.tasks(["nobody", next(iter(self.users))])
        self.assertEqual(answer.invalid_user_ids, ["nobody"])

    def test_a_shift_is_parsed(self):
        request = GetShiftRequest.builder().shift_id("6753003").build()
        shift = self.data(self.client.attendance.v1.shift.get(request))
        self.assertEqual(shift.punch_time_rule[0].on_time, "10:20")


class FaultTest(unittest.TestCase):
    """An app of its own: the client keeps one token per app id, whatever the server."""

    def test_a_rate_limit_reaches_the_client_as_its_code(self):
        server = Server("--fault", "429:1x", "--app-id", "cli_simulator0002", "--app-secret", "simulator-secret-0001")
        self.addCleanup(server.stop)
        request = GetDepartmentRequest.builder().department_id("0").build()
        client = server.client()
        refused = client.contact.v3.department.get(request)
        self.assertEqual(refused.code, 99991400)
        headers = {name.lower(): value for name, value in refused.raw.headers.items()}
        self.assertEqual(headers.get("x-ogw-ratelimit-reset"), "1")
        self.assertTrue(client.contact.v3.department.get(request).success())


if __name__ == "__main__":
    unittest.main()
