//! Runs the simulator until it is interrupted: arguments to a server, no logic.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use simulator::{Builder, CallbackKeys, DEFAULT_TODAY, FaultRule, Platform, RateLimits, Simulator};
use tokio::time::{MissedTickBehavior, interval};

/// A fake platform over real HTTP, with people, departments and punches made from a seed.
#[derive(Debug, Parser)]
#[command(name = "simulator", version)]
struct Args {
    /// Which platform to be.
    #[arg(long, value_name = "NAME", default_value_t)]
    platform: Platform,
    /// Where to serve it; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7001")]
    listen: String,
    /// How many people the company has.
    #[arg(long, default_value_t = 4_410)]
    people: u32,
    /// What everything follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many days, up to and including today, have punches.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// The date it is in the simulated world.
    #[arg(long, value_name = "YYYY-MM-DD", default_value = DEFAULT_TODAY)]
    today: String,
    /// A folder with `in_time.csv` and `out_time.csv` to take punches from.
    #[arg(long, value_name = "DIR")]
    punches: Option<PathBuf>,
    /// Let people come, leave and move every so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    step_every: Option<u64>,
    /// After how many seconds each an event that was not acknowledged is pushed again; without it by the platform's schedule.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',')]
    push_repeats: Option<Vec<u64>>,
    /// What Feishu asks of clients of its long connection: seconds between pings, up to the first reconnect, between
    /// further ones.
    #[arg(long, value_name = "PING,FIRST,WAIT", value_parser = pace)]
    stream_pace: Option<[u64; 3]>,
    /// Misbehave: KIND:RATE or KIND:TIMESx, optionally @ENDPOINT, such as `429:0.01` or `html:3x@user_flows`.
    #[arg(long, value_name = "KIND:RATE")]
    fault: Vec<FaultRule>,
    /// Keep the documented request budgets.
    #[arg(long)]
    rate_limits: bool,
    /// Push events to this address, such as `http://127.0.0.1:7420/callbacks/acme/feishu`.
    #[arg(long, value_name = "URL", requires = "callback_token")]
    callback: Option<String>,
    /// The token that events bear or are signed with.
    #[arg(long, value_name = "TOKEN")]
    callback_token: Option<String>,
    /// The key that events are encrypted with.
    #[arg(long, value_name = "KEY")]
    callback_key: Option<String>,
    /// The app's id; without it the platform's usual one of the simulator.
    #[arg(long, requires = "app_secret")]
    app_id: Option<String>,
    /// The app's secret.
    #[arg(long, requires = "app_id")]
    app_secret: Option<String>,
}

fn pace(text: &str) -> Result<[u64; 3], String> {
    let numbers: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| "write three numbers of seconds, such as 120,30,120".to_owned())
}

impl Args {
    fn builder(&self) -> Builder {
        let limits = if self.rate_limits { RateLimits::Documented } else { RateLimits::Off };
        let mut builder = Simulator::builder()
            .platform(self.platform)
            .people(self.people)
            .seed(self.seed)
            .days(self.days)
            .today(&self.today)
            .rate_limits(limits)
            .faults(self.fault.iter().copied());
        if let Some(token) = &self.callback_token {
            builder = builder.events_as(token, "t_simulator0001");
        }
        if let (Some(id), Some(secret)) = (&self.app_id, &self.app_secret) {
            builder = builder.app(id, secret);
        }
        if let Some(seconds) = &self.push_repeats {
            builder = builder.push_repeats(seconds.iter().copied().map(Duration::from_secs));
        }
        if let Some([ping, first, wait]) = self.stream_pace {
            builder = builder.long_connection_pace(ping, first, wait);
        }
        if let Some(folder) = &self.punches {
            builder = builder.punches(folder);
        }
        builder
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere is left to say that stderr is closed.
            writeln!(std::io::stderr(), "error: {}", with_causes(error.as_ref()))
                .unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let sim = args.builder().start(&args.listen).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{:<11} {}", sim.platform().name(), sim.url())?;
    writeln!(out, "app_id      {}", sim.app_id())?;
    writeln!(out, "app_secret  {}", sim.app_secret())?;
    writeln!(out, "today       {}", sim.today())?;
    out.flush()?;
    if let (Some(url), Some(token)) = (&args.callback, &args.callback_token) {
        let keys = CallbackKeys { token: token.clone(), key: args.callback_key.clone() };
        sim.set_callback(url, keys).await?;
    }
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    match args.step_every {
        None => stop.await?,
        Some(seconds) => {
            let mut tick = interval(Duration::from_secs(seconds));
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            tick.tick().await;
            loop {
                tokio::select! {
                    biased;
                    stopped = &mut stop => { stopped?; break }
                    _ = tick.tick() => sim.step(1),
                }
            }
        }
    }
    sim.shutdown().await;
    Ok(())
}
