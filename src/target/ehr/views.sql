-- For reports. `e.*` follows the table, so a new column needs no new view.
CREATE VIEW "current_employees" AS
    SELECT e.*, d."name" AS "department_name", d."path" AS "department_path", m."display_name" AS "manager_name"
    FROM "employees" e
    LEFT JOIN "departments" d ON d."id" = e."department_id"
    LEFT JOIN "employees" m ON m."id" = e."manager_id"
    WHERE e."retired_at" IS NULL AND e."status" <> 'terminated';

CREATE VIEW "employee_departments" AS
    SELECT e."id" AS "employee_id", d."id" AS "department_id", e."external_id" AS "employee_external_id",
        j."value" AS "department_external_id", j."key" AS "position", j."key" = 0 AS "is_main"
    FROM "employees" e, json_each(e."department_external_ids") j
    LEFT JOIN "departments" d ON d."external_id" = j."value";

CREATE VIEW "department_heads" AS
    SELECT d."id" AS "department_id", e."id" AS "employee_id", d."external_id" AS "department_external_id",
        j."value" AS "employee_external_id", j."key" AS "position"
    FROM "departments" d, json_each(d."head_external_ids") j
    LEFT JOIN "employees" e ON e."external_id" = j."value";
