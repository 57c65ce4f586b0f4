CREATE INDEX "departments_parent" ON "departments" ("parent_id");
CREATE INDEX "departments_without_path" ON "departments" ("id") WHERE "path" IS NULL;
CREATE INDEX "employees_department" ON "employees" ("department_id");
CREATE INDEX "employees_manager" ON "employees" ("manager_id") WHERE "manager_id" IS NOT NULL;
CREATE INDEX "employees_number" ON "employees" ("employee_number") WHERE "employee_number" IS NOT NULL;
CREATE INDEX "check_ins_employee" ON "check_ins" ("employee_id", "at_unix");
CREATE INDEX "attendance_days_employee" ON "attendance_days" ("employee_id", "work_date");
CREATE INDEX "leaves_employee" ON "leaves" ("employee_id");
