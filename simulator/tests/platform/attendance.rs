//! Punches, day results, leave, groups and shifts.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use serde_json::{Value, json};
use simulator::Simulator;

use crate::support::{Client, company, start, text};

/// The whole window of a default simulator, which ends on 2026-03-31.
const FIRST: i64 = 20_260_302;
const LAST: i64 = 20_260_331;
const FROM: i64 = 1_772_380_800;

async fn all_flows(client: &Client, users: &[String]) -> Vec<Value> {
    let mut flows = Vec::new();
    for fifty in users.chunks(50) {
        flows.extend(
            client.flows(fifty, FROM, client.sim.now() + 1).await.list("user_flow_results"),
        );
    }
    flows
}

async fn all_tasks(client: &Client, users: &[String]) -> Vec<Value> {
    let mut tasks = Vec::new();
    for fifty in users.chunks(50) {
        tasks.extend(client.tasks(fifty, FIRST, LAST).await.list("user_task_results"));
    }
    tasks
}

#[tokio::test]
async fn everyones_punches_and_results_add_up_to_the_truth() {
    let client = company(400).await;
    let users = client.user_ids(1_000).await;
    let truth = client.sim.truth();
    assert_eq!(users.len() as u64, truth.people);
    let flows = all_flows(&client, &users).await;
    assert_eq!(flows.len() as u64, truth.punches);
    let ids: HashSet<String> = flows.iter().map(|flow| text(flow, "record_id")).collect();
    assert_eq!(ids.len(), flows.len(), "record ids are unique");
    let tasks = all_tasks(&client, &users).await;
    assert_eq!(tasks.len() as u64, truth.days);
}

#[tokio::test]
async fn results_rest_on_the_punches_that_were_listed() {
    let client = company(400).await;
    let users = client.user_ids(200).await;
    let flows = all_flows(&client, &users).await;
    let by_id: HashMap<String, &Value> =
        flows.iter().map(|flow| (text(flow, "record_id"), flow)).collect();
    let mut seen: HashMap<(String, String), u32> = HashMap::new();
    for task in all_tasks(&client, &users).await {
        let record = &task["records"][0];
        for side in ["in", "out"] {
            let get = |what: &str| &record[format!("check_{side}_{what}")];
            let result = get("result").as_str().unwrap().to_owned();
            let supplement = get("result_supplement").as_str().unwrap().to_owned();
            let planned: i64 = get("shift_time").as_str().unwrap().parse().unwrap();
            let known = by_id.get(get("record_id").as_str().unwrap());
            let at = known.map(|flow| text(flow, "check_time").parse::<i64>().unwrap() - planned);
            assert_eq!(known.copied(), get("record").as_object().map(|_| get("record")));
            match (side, result.as_str()) {
                ("in", "Late") => assert!(at.unwrap() > 300),
                ("in", "Normal") => assert!(at.unwrap() <= 300),
                ("out", "Early") => assert!(at.unwrap() < -300),
                ("out", "Normal") => assert!(at.unwrap() >= -300),
                (_, "Lack" | "Todo" | "NoNeedCheck") => assert_eq!(at, None),
                other => panic!("unexpected result {other:?}"),
            }
            *seen.entry((result, supplement)).or_default() += 1;
        }
    }
    for (result, supplement) in [
        ("Normal", "None"),
        ("Late", "None"),
        ("Early", "None"),
        ("Lack", "None"),
        ("Lack", "Leave"),
        ("Todo", "None"),
        ("NoNeedCheck", "None"),
    ] {
        let key = (result.to_owned(), supplement.to_owned());
        assert!(seen.contains_key(&key), "{key:?} not in {seen:?}");
    }
}

#[tokio::test]
async fn only_today_is_open_and_a_night_ends_on_the_next_day() {
    let client = company(400).await;
    let users = client.user_ids(400).await;
    let tasks = all_tasks(&client, &users).await;
    let open = tasks.iter().filter(|task| task["records"][0]["check_out_result"] == "Todo");
    assert_eq!(
        open.map(|task| task["day"].as_i64().unwrap()).collect::<HashSet<_>>(),
        HashSet::from([LAST])
    );
    let night = tasks.iter().filter(|task| task["shift_id"] == "6753006");
    let overnight = night
        .filter(|task| {
            let at = |key: &str| -> i64 {
                let text = task["records"][0][key]["check_time"].as_str().unwrap_or("0");
                text.parse().unwrap()
            };
            let day = |at: i64| (at + 28_800) / 86_400;
            at("check_in_record") > 0
                && day(at("check_out_record")) == day(at("check_in_record")) + 1
        })
        .count();
    assert!(overnight > 50, "{overnight}");
}

#[tokio::test]
async fn an_interval_holds_its_start_and_not_its_end() {
    let client = company(100).await;
    let users = client.user_ids(50).await;
    let flows = all_flows(&client, &users).await;
    let at: i64 = text(&flows[3], "check_time").parse().unwrap();
    let holds = async |from, to| {
        let found = client.flows(&users, from, to).await.list("user_flow_results");
        found.iter().any(|flow| flow["record_id"] == flows[3]["record_id"])
    };
    assert!(holds(at, at + 1).await);
    assert!(!holds(at - 10, at).await);
}

#[tokio::test]
async fn one_punch_is_found_by_its_id() {
    let client = company(100).await;
    let users = client.user_ids(10).await;
    let flow = all_flows(&client, &users).await.remove(0);
    let path = format!("attendance/v1/user_flows/{}", text(&flow, "record_id"));
    let one = client.get(&path, &[("employee_type", "employee_id")]).await;
    assert_eq!(one.data(), &flow);
    let none =
        client.get("attendance/v1/user_flows/7001", &[("employee_type", "employee_id")]).await;
    assert_eq!(none.code(), 1_220_001);
}

#[tokio::test]
async fn formats_and_sizes_are_strict() {
    let client = company(100).await;
    let users = client.user_ids(51).await;
    assert_eq!(client.flows(&users, FROM, FROM + 1).await.code(), 1_220_001, "51 people");
    assert_eq!(client.flows(&[], FROM, FROM + 1).await.code(), 1_220_001, "nobody");
    assert_eq!(
        client.flows(&users[..1], FROM, FROM + 40 * 86_400).await.code(),
        1_220_001,
        "40 days"
    );
    assert_eq!(client.flows(&users[..1], FROM * 1_000, FROM * 1_000).await.code(), 1_220_001, "ms");
    assert_eq!(client.tasks(&users[..1], LAST, FIRST).await.code(), 1_220_001, "backwards");
    assert_eq!(client.tasks(&users[..1], 20_260_230, LAST).await.code(), 1_220_001, "no date");
    let typed = [("employee_type", "employee_id")];
    for (path, body, query) in [
        (
            "user_flows",
            json!({"user_ids": users[..1], "check_time_from": FROM, "check_time_to": FROM}),
            &typed[..],
        ),
        (
            "user_tasks",
            json!({"user_ids": users[..1], "check_date_from": "20260330", "check_date_to": "20260331"}),
            &typed[..],
        ),
        (
            "user_tasks",
            json!({"user_ids": users[..1], "check_date_from": LAST, "check_date_to": LAST}),
            &[],
        ),
    ] {
        let answer = client.post(&format!("attendance/v1/{path}/query"), query, &body).await;
        assert_eq!((answer.status, answer.code()), (400, 1_220_001), "{body}");
    }
}

#[tokio::test]
async fn people_can_be_named_by_staff_number() {
    let client = company(100).await;
    let user = client.members("0").await.remove(0);
    let body =
        json!({"user_ids": [user["employee_no"]], "check_date_from": LAST, "check_date_to": LAST});
    let query = [("employee_type", "employee_no")];
    let answer = client.post("attendance/v1/user_tasks/query", &query, &body).await;
    assert_eq!(answer.list("user_task_results")[0]["user_id"], user["employee_no"]);
}

#[tokio::test]
async fn approvals_explain_days_on_leave() {
    let client = company(400).await;
    let users = client.user_ids(200).await;
    let tasks = all_tasks(&client, &users).await;
    let excused: HashSet<(String, String)> = tasks
        .iter()
        .filter(|task| {
            let supplement = &task["records"][0]["check_in_result_supplement"];
            supplement == "Leave" || supplement == "Travel"
        })
        .map(|task| (text(task, "user_id"), task["day"].to_string()))
        .collect();
    let mut approved = HashSet::new();
    for fifty in users.chunks(50) {
        let body = json!({"user_ids": fifty, "check_date_from": FIRST, "check_date_to": LAST});
        let query = [("employee_type", "employee_id")];
        let answer = client.post("attendance/v1/user_approvals/query", &query, &body).await;
        for row in answer.list("user_approvals") {
            let entry = row["leaves"].get(0).or(row["trips"].get(0)).unwrap();
            let date = text(&row, "date");
            let span = [text(entry, "start_time"), text(entry, "end_time")]
                .map(|at| at[..10].replace('-', ""));
            assert!(span[0] <= date && date <= span[1], "{row}");
            approved.insert((text(&row, "user_id"), date));
        }
    }
    assert!(excused.len() > 50);
    assert_eq!(approved, excused);
    let body =
        json!({"user_ids": users[..1], "check_date_from": 20_260_201, "check_date_to": LAST});
    let query = [("employee_type", "employee_id")];
    let answer = client.post("attendance/v1/user_approvals/query", &query, &body).await;
    assert_eq!(answer.code(), 1_220_001, "more than thirty days");
}

#[tokio::test]
async fn groups_and_shifts_are_those_of_the_results() {
    let client = company(200).await;
    let users = client.user_ids(50).await;
    let task = all_tasks(&client, &users).await.remove(0);
    let group = format!("attendance/v1/groups/{}", text(&task, "group_id"));
    let query = [("employee_type", "employee_id"), ("dept_type", "open_id")];
    let group = client.get(&group, &query).await;
    assert_eq!(group.data()["time_zone"], "Asia/Shanghai");
    assert_eq!(group.data()["punch_day_shift_ids"][0], task["shift_id"]);
    let shift = client.get(&format!("attendance/v1/shifts/{}", text(&task, "shift_id")), &[]).await;
    assert_eq!(shift.data()["punch_time_rule"][0]["no_need_on"], true);
    let groups = client.get("attendance/v1/groups", &[("page_size", "4")]).await;
    assert_eq!((groups.list("group_list").len(), &groups.data()["has_more"]), (4, &json!(true)));
    let shifts = client.get("attendance/v1/shifts", &[]).await.list("shift_list");
    assert!(shifts.iter().any(|shift| shift["punch_time_rule"][0]["off_time"] == "30:30"));
}

#[tokio::test]
async fn leavers_show_only_when_asked_for() {
    let client = company(4_410).await;
    client.sim.step(1);
    let left = client
        .sim
        .events_since(0)
        .into_iter()
        .find(|event| event.contains("contact.user.deleted_v3"));
    let event: Value = serde_json::from_str(&left.unwrap()).unwrap();
    let leaver = vec![text(&event["event"]["object"], "user_id")];
    let flows = client.flows(&leaver, FROM, client.sim.now()).await;
    assert!(flows.list("user_flow_results").is_empty());
    assert_eq!(client.tasks(&leaver, FIRST, LAST).await.code(), 1_220_004);
    let body = json!({"user_ids": leaver, "check_date_from": FIRST, "check_date_to": LAST});
    let query = [("employee_type", "employee_id"), ("include_terminated_user", "true")];
    let answer = client.post("attendance/v1/user_tasks/query", &query, &body).await;
    assert!(!answer.list("user_task_results").is_empty());
}

/// Three people over two weeks: one regular, one who misses the second Monday, and nobody on the second Tuesday.
fn cards(folder: &std::path::Path) {
    let days: Vec<String> =
        [5, 6, 7, 8, 9, 12, 13, 14, 15, 16].map(|day| format!("{day:02}/01/2015")).to_vec();
    for (file, hour) in [("in_time.csv", 9), ("out_time.csv", 18)] {
        let mut table = format!(",{}\n", days.join(","));
        for person in 0..3 {
            write!(table, "{}", person + 1).unwrap();
            for (nth, day) in days.iter().enumerate() {
                match (person, nth) {
                    (_, 6) | (1, 5) => table.push_str(",NA"),
                    _ => write!(table, ",{day} {hour:02}:{:02}", 10 + person).unwrap(),
                }
            }
            table.push('\n');
        }
        std::fs::write(folder.join(file), table).unwrap();
    }
}

#[tokio::test]
async fn real_punch_cards_are_repeated_over_dates_and_people() {
    let folder = std::env::temp_dir().join(format!("simulator-platform-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    cards(&folder);
    let client = start(Simulator::builder().people(60).days(14).punches(&folder)).await;
    std::fs::remove_dir_all(&folder).unwrap();
    let users = client.user_ids(60).await;
    let punches = |answer: crate::support::Answer| -> Vec<i64> {
        let flows = answer.list("user_flow_results");
        flows.iter().map(|flow| text(flow, "check_time").parse::<i64>().unwrap()).collect()
    };
    let now = client.sim.now();
    let head = vec![text(&client.members("0").await[0], "user_id")];
    let times = punches(client.flows(&head, FROM, now).await);
    let clock = |at: &i64| ((at + 28_800) % 86_400) / 60;
    // Of ten columns nine have punches; today's departure is still to come.
    assert_eq!(times.len(), 17);
    assert!(times.iter().all(|at| [550, 1_090].contains(&clock(at))), "{times:?}");
    let mut shifted = HashSet::new();
    for user in &users {
        let times = punches(client.flows(std::slice::from_ref(user), FROM, now).await);
        shifted.extend(times.first().map(clock));
        assert!(times.len() <= 17);
    }
    assert!(shifted.len() > 3, "people beyond the fiftieth come a little earlier or later");
}
