"""What every peer shares: the token, and a person of the platform as one of the EHR, written by hand."""

import datetime
import re

import requests

STATUS = [
    ("is_resigned", "terminated"),
    ("is_exited", "terminated"),
    ("is_frozen", "suspended"),
    ("is_unjoin", "pending"),
]
EMPLOYMENT = {1: "full_time", 2: "intern", 4: "contractor"}
GENDER = {1: "male", 2: "female", 3: "other"}
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def token(url, app_id, app_secret):
    body = {"app_id": app_id, "app_secret": app_secret}
    answer = requests.post(f"{url}/open-apis/auth/v3/tenant_access_token/internal", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()["tenant_access_token"]


def text(value):
    return (value or "").strip() or None


def mobile(raw):
    raw = text(raw)
    if raw is None:
        return None
    digits = re.sub(r"\D", "", raw)
    return f"+{digits}" if raw.startswith("+") else f"+86{digits}"


def status(flags):
    for flag, name in STATUS:
        if flags.get(flag):
            return name
    return "active" if flags.get("is_activated") else "pending"


def employee(user):
    joined = user.get("join_time")
    leader = text(user.get("leader_user_id"))
    return {
        "external_id": f"feishu:employee:{user['user_id']}",
        "employee_number": text(user.get("employee_no")),
        "display_name": user["name"].strip(),
        "alias": text(user.get("nickname")),
        "english_name": text(user.get("en_name")),
        "mobile": mobile(user.get("mobile")),
        "work_email": text(user.get("enterprise_email")) or text(user.get("email")),
        "department_external_ids": ",".join(f"feishu:department:{id}" for id in user.get("department_ids", [])),
        "manager_external_id": f"feishu:employee:{leader}" if leader else None,
        "job_title": text(user.get("job_title")),
        "employment_type": EMPLOYMENT.get(user.get("employee_type"), "other"),
        "status": status(user.get("status", {})),
        "start_date": datetime.datetime.fromtimestamp(joined, SHANGHAI).date().isoformat() if joined else None,
        "gender": GENDER.get(user.get("gender"), "unspecified"),
    }
