"""The job with dlt: the platform's listings as resources, mapped, merged into one SQLite file.

dlt_sync.py URL APP_ID APP_SECRET FOLDER
"""

import pathlib
import sys

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

import directory

url, app_id, app_secret, folder = sys.argv[1:]
client = RESTClient(
    base_url=f"{url}/open-apis/contact/v3",
    auth=BearerTokenAuth(directory.token(url, app_id, app_secret)),
    data_selector="data.items",
)


def pages(path, params):
    cursor = JSONResponseCursorPaginator(cursor_path="data.page_token", cursor_param="page_token")
    yield from client.paginate(path, params={**params, "page_size": 50}, paginator=cursor)


@dlt.resource(write_disposition="merge", primary_key="external_id", max_table_nesting=0)
def department():
    yield [{"external_id": "0", "name": None, "parent": None}]
    for page in pages("/departments/0/children", {"fetch_child": "true"}):
        yield [
            {"external_id": one["open_department_id"], "name": one["name"], "parent": one["parent_department_id"]}
            for one in page
        ]


@dlt.transformer(data_from=department, write_disposition="merge", primary_key="external_id", max_table_nesting=0)
def employee(departments):
    for one in departments:
        params = {"department_id": one["external_id"], "user_id_type": "user_id"}
        for page in pages("/users/find_by_department", params):
            yield [directory.employee(user) for user in page]


file = pathlib.Path(folder, "dlt.db")
pipeline = dlt.pipeline(
    "peer",
    destination=dlt.destinations.sqlalchemy(f"sqlite:///{file}"),
    dataset_name="main",
    pipelines_dir=str(pathlib.Path(folder, "pipelines")),
)
pipeline.run([department, employee]).raise_on_failed_jobs()
