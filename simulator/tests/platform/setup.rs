//! Settings: what they change, and what the impossible ones are told.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulator::feishu::DEFAULT_SCOPES;
use simulator::{ContactRange, Simulator, StartError};

use crate::support::{company, start, text};

#[tokio::test]
async fn impossible_settings_are_refused_with_what_to_do() {
    let builder = Simulator::builder;
    let refused =
        async |builder: simulator::Builder| builder.start("127.0.0.1:0").await.unwrap_err();
    let people = refused(builder().people(0)).await;
    assert!(matches!(people, StartError::People { people: 0 }), "{people}");
    let days = refused(builder().days(0)).await;
    assert!(matches!(days, StartError::Days { days: 0 }), "{days}");
    for today in [builder().today("31.03.2026"), builder().now(0)] {
        let error = refused(today).await;
        assert!(
            matches!(error, StartError::Today { .. }) && error.to_string().contains("2026-03-31")
        );
    }
    let cards = refused(builder().punches("no/such/folder")).await;
    assert!(matches!(cards, StartError::Cards(_)), "{cards}");
    let bind = builder().start("192.0.2.1:1").await.unwrap_err();
    assert!(matches!(bind, StartError::Bind { .. }) && bind.to_string().contains("192.0.2.1:1"));
}

#[tokio::test]
async fn the_world_starts_on_the_date_and_at_the_time_given() {
    let date = start(Simulator::builder().today("2026-11-20")).await;
    assert_eq!(date.sim.today(), "2026-11-20");
    let instant = start(Simulator::builder().now(1_795_132_800)).await;
    assert_eq!(instant.sim.now(), 1_795_132_800);
}

#[tokio::test]
async fn identities_can_be_chosen_and_show_in_events() {
    let builder = Simulator::builder().app("cli_mine", "mine").events_as("proof", "t_mine");
    let client = start(builder).await;
    assert_eq!(client.ask_token("cli_mine", "mine").await.code(), 0);
    client.sim.step(1);
    let event: Value = serde_json::from_str(&client.sim.events_since(0)[0]).unwrap();
    let header = &event["header"];
    assert_eq!(
        (header["token"].as_str(), header["app_id"].as_str(), header["tenant_key"].as_str()),
        (Some("proof"), Some("cli_mine"), Some("t_mine"))
    );
}

#[tokio::test]
async fn token_life_and_spans_can_be_shortened() {
    let builder = Simulator::builder().token_life(Duration::from_mins(40)).max_span_days(7);
    let client = start(builder).await;
    let users = client.user_ids(1).await;
    assert_eq!(client.tasks(&users, 20_260_325, 20_260_331).await.code(), 0);
    assert_eq!(client.tasks(&users, 20_260_324, 20_260_331).await.code(), 1_220_001);
    client.sim.advance(Duration::from_mins(40));
    assert_eq!(client.tasks(&users, 20_260_325, 20_260_331).await.code(), 99_991_663);
}

#[tokio::test]
async fn another_seed_is_another_company() {
    let one = company(50).await.members("0").await;
    let two = start(Simulator::builder().people(50).seed(2)).await.members("0").await;
    assert_ne!(one[0]["open_id"], two[0]["open_id"]);
    assert_eq!(one, company(50).await.members("0").await);
}

#[tokio::test]
async fn grants_can_change_while_it_runs_and_events_follow() {
    let client = company(600).await;
    client.sim.step(6);
    let all = client.sim.events_since(0).len();
    let outside = text(&client.tree().await[0], "open_department_id");
    client
        .sim
        .set_contact_range(ContactRange::Part { departments: vec![outside], users: Vec::new() });
    let some = client.sim.events_since(0);
    assert!(!some.is_empty() && some.len() < all, "{} of {all}", some.len());
    client.sim.set_scopes(DEFAULT_SCOPES.iter().filter(|scope| !scope.contains("phone")).copied());
    assert!(client.sim.events_since(0).iter().all(|event| !event.contains("\"mobile\"")));
}

#[test]
fn the_command_prints_where_it_is_and_serves() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--people",
            "20",
            "--step-every",
            "3600",
            "--fault",
            "slow:0",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(4);
    let facts: Vec<String> = lines.map(|line| line.unwrap()).collect();
    let address =
        facts[0].split_whitespace().last().unwrap().trim_start_matches("http://").to_owned();
    let served = std::net::TcpStream::connect(address).is_ok();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(served);
    assert_eq!(
        facts[1..],
        [
            "app_id      cli_simulator0001",
            "app_secret  simulator-secret-0001",
            "today       2026-03-31"
        ]
    );
}

#[test]
fn the_command_says_what_is_wrong_and_fails() {
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_simulator")).args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&["--listen", "127.0.0.1:0", "--punches", "no/such/folder"]);
    assert_eq!(code, Some(1));
    assert!(text.starts_with("error: ") && text.contains("in_time.csv"), "{text}");
    let (code, text) = run(&["--platform", "pigeon"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("feishu"), "{text}");
    let (code, text) = run(&["--fault", "rain:1"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("truncated-list"), "{text}");
}
