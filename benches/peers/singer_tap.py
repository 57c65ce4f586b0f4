"""The job with Singer, first half: the platform's listings, mapped, as messages of a tap on the SDK."""

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseAPIPaginator

import directory

FIELDS = list(directory.employee({"user_id": "", "name": ""}))


class Pages(BaseAPIPaginator):
    def __init__(self):
        super().__init__("")

    def get_next(self, response):
        data = response.json()["data"]
        return data["page_token"] if data["has_more"] else None


class Listing(RESTStream):
    primary_keys = ("external_id",)
    records_jsonpath = "$.data.items[*]"
    state_partitioning_keys = ()

    @property
    def url_base(self):
        return self.config["url"] + "/open-apis/contact/v3"

    @property
    def authenticator(self):
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self):
        return Pages()

    def get_url_params(self, context, next_page_token):
        params = {"page_size": 50, "page_token": next_page_token or None}
        return {**params, **self.wanted(context)}


class Departments(Listing):
    name = "department"
    path = "/departments/0/children"
    schema = th.PropertiesList(*[th.Property(name, th.StringType) for name in ("external_id", "name", "parent")]).to_dict()

    def wanted(self, _context):
        return {"fetch_child": "true"}

    def get_records(self, context):
        yield {"open_department_id": "0", "name": None, "parent_department_id": None}
        yield from super().get_records(context)

    def post_process(self, row, context=None):
        return {"external_id": row["open_department_id"], "name": row["name"], "parent": row["parent_department_id"]}

    def get_child_context(self, record, context):
        return {"department": record["external_id"]}


class Employees(Listing):
    name = "employee"
    path = "/users/find_by_department"
    parent_stream_type = Departments
    schema = th.PropertiesList(*[th.Property(name, th.StringType) for name in (*FIELDS, "department")]).to_dict()

    def wanted(self, context):
        return {"department_id": context["department"], "user_id_type": "user_id"}

    def post_process(self, row, context=None):
        return directory.employee(row)


class Directory(Tap):
    name = "tap-directory"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True), th.Property("token", th.StringType, required=True)
    ).to_dict()

    def discover_streams(self):
        return [Departments(self), Employees(self)]


if __name__ == "__main__":
    Directory.cli()
