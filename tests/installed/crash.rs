//! Whenever the process is killed, the next run ends in the same EHR as an undisturbed one.

use std::process::Stdio;
use std::time::Duration;

use crate::rig::Rig;
use simulator::Simulator;

/// Kills in one test; each lands somewhere else in the run.
const KILLS: u32 = 10;

async fn rig() -> Rig {
    Rig::start(Simulator::builder().people(150).seed(7).days(5)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_point_is_made_good_by_the_next() {
    let undisturbed = rig().await;
    let started = std::time::Instant::now();
    let report = undisturbed.json(&["sync"]);
    let whole = started.elapsed();
    assert_eq!(report[0]["state"], "done");
    let wanted = undisturbed.content();

    let mut killed = 0;
    for attempt in 0..KILLS {
        let rig = rig().await;
        // Early kills find a run that pulls, late ones a run that writes.
        for share in [attempt, KILLS / 2 + attempt / 2] {
            let mut child =
                rig.command(&["sync"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let after = whole.mul_f64((f64::from(share) + 0.5) / f64::from(KILLS));
            tokio::time::sleep(after.max(Duration::from_millis(5))).await;
            if child.try_wait().unwrap().is_none() {
                killed += 1;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        rig.json(&["sync"]);
        assert_eq!(rig.content(), wanted, "killed at {attempt} of {KILLS}");
        assert_eq!(
            rig.json(&["sync"])[0]["written"]
                .as_object()
                .unwrap()
                .values()
                .map(|n| n.as_u64().unwrap())
                .sum::<u64>(),
            0
        );
    }
    assert!(
        killed >= KILLS / 2,
        "only {killed} runs were still on their way when they were killed"
    );
}
