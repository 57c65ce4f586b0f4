"""The job with Singer, second half: messages into one SQLite file, through the SDK's own SQL sink."""

from singer_sdk import typing as th
from singer_sdk.sql import SQLConnector, SQLSink, SQLTarget


class Connector(SQLConnector):
    allow_merge_upsert = False
    allow_temp_tables = False

    def get_sqlalchemy_url(self, config):
        return f"sqlite:///{config['file']}"


class Sink(SQLSink):
    connector_class = Connector

    def generate_insert_statement(self, full_table_name, schema):
        """Somebody in several departments comes several times."""
        statement = str(super().generate_insert_statement(full_table_name, schema))
        return statement.replace("INSERT INTO", "INSERT OR REPLACE INTO", 1)


class Table(SQLTarget):
    name = "target-table"
    default_sink_class = Sink
    config_jsonschema = th.PropertiesList(th.Property("file", th.StringType, required=True)).to_dict()


if __name__ == "__main__":
    Table.cli()
