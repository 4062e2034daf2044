//! `bench time`: how fast history is rehearsed, and how timers fire when many are armed.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use event_log::EventLog;
use servers::nats::Sync;
use service_kit::{
    clock::{SystemClock, pause},
    tokens::GrantKind,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    commands::{print, say},
    desk::{self, Desk, Service},
    http::Connection,
    machine,
    read::{
        fills, make,
        state::{Filling, State},
    },
    requests::{self, ID_BYTES, Keys, Tokens},
    site::token_of as token,
    statistics::float,
};

/// What to measure, at which sizes, and where the desks are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tickets of the desk whose history is rehearsed; one that `bench read` has made is taken.
    #[arg(long, default_value_t = 1_000_000)]
    tickets: u64,
    /// Timers that are armed and not due while others fire.
    #[arg(long, default_value_t = 1_000_000)]
    armed: u64,
    /// Timers that are due in the same second.
    #[arg(long, default_value_t = 10_000)]
    due: u64,
    /// Where desks are kept; those of `bench read` are there. Default: beside this program.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The program of the desk. `cargo xtask bench` names the one that it has built.
    #[arg(long, env = "RECOURSE_BIN", default_value = "target/release/recourse")]
    recourse: PathBuf,
}

/// How many creations one bulk request has.
const LINES: u64 = 5_000;
/// The time allowed to those that are to be due together: long enough for all of them to be made and projected.
const SOON: Duration = Duration::from_secs(30);
/// The time allowed to those that stay armed.
const LATE: &str = "PT9000H";
/// How long the scheduler's passes are watched while nothing is due.
const WATCHED: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// After so long something is stuck.
const LIMIT: Duration = Duration::from_mins(30);

/// What a number of armed timers costs.
struct Fired {
    armed: u64,
    /// Milliseconds of a pass while nothing is due.
    pass_ms: f64,
    due: u64,
    /// From the last due instant to the last record.
    seconds: f64,
}

/// Measures, and prints the table.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (data, recourse) = desk::place(desk::READ, args.data.as_deref(), &args.recourse)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;

    let dir = data.join(args.tickets.to_string());
    let mut state = State::read(&dir)?;
    let desk = Desk::start(&dir, &recourse, Sync::Lazy)?;
    make(&mut state, &dir, &desk, args.tickets)?;
    let commands = desk.service("command-service")?;
    let (reading, rehearsal) = runtime.block_on(async {
        say("reading the log");
        let reading = fills::reading(&desk).await?;
        say("rehearsing");
        anyhow::Ok((reading, rehearse(&desk, &commands).await?))
    })?;
    drop(commands);
    desk.stop();

    let mut fired = Vec::new();
    for armed in [0, args.armed] {
        let dir = data.join(format!("timers-{armed}"));
        // What an earlier run has fired is no measure of anything.
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        let desk = Desk::start(&dir, &recourse, Sync::Lazy)?;
        fired.push(runtime.block_on(fire(&desk, armed, args.due))?);
        desk.stop();
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    let machine = machine::describe(&data)?;
    print(&report(&machine, args.tickets, &reading, &rehearsal, &fired));
    Ok(())
}

/// Plays all of history under a policy with every target.
async fn rehearse(desk: &Desk, commands: &Service) -> anyhow::Result<Filling> {
    const DRAFT: &str = r#"{"policy":{"name":"Draft","targets":{"first_response":{"within":{"working":"PT4H"}},"next_response":{"within":{"working":"PT8H"}},"resolution":{"within":{"working":"PT40H"},"paused_in":["waiting_for_info","waiting_for_closure"]}}},"calendar":{"name":"Office","time_zone":"Europe/Moscow","week":{"mon":[["09:00","18:00"]],"tue":[["09:00","18:00"]],"wed":[["09:00","18:00"]],"thu":[["09:00","18:00"]],"fri":[["09:00","18:00"]]}}}"#;
    let tokens = tokens(&desk.log().await?).await?;
    let records = fills::recorded(desk).await?;
    let began = Instant::now();
    let mut connection = Connection::open(commands.address).await?;
    let request = requests::json(&tokens.staff, "POST", "/v1/policies/rehearse", DRAFT);
    connection.exchange(request.as_bytes()).await?;
    Ok(Filling {
        records,
        seconds: began.elapsed().as_secs_f64(),
        whole: true,
    })
}

async fn tokens(log: &EventLog) -> anyhow::Result<Tokens> {
    Ok(Tokens {
        staff: token(log, GrantKind::Staff, Uuid::new_v4(), None).await?,
        customer: token(log, GrantKind::Customer, Uuid::new_v4(), None).await?,
    })
}

/// Arms timers that are far away, then as many as are to be due together, and waits for these.
async fn fire(desk: &Desk, armed: u64, due: u64) -> anyhow::Result<Fired> {
    let commands = desk.service("command-service")?;
    let log = desk.log().await?;
    let tokens = tokens(&log).await?;
    say(&format!("arming {armed} timers"));
    let policy = put_policy(commands.address, &tokens, None, LATE).await?;
    create(commands.address, &tokens, armed).await?;
    let _projector = desk.service("projector")?;
    let scheduler = desk.service("sla-scheduler")?;
    fills::caught_up(desk, LIMIT).await?;
    let before = passes(scheduler.address).await?;
    pause(&SystemClock, WATCHED).await;
    let after = passes(scheduler.address).await?;
    let pass_ms = (after.seconds - before.seconds) / (after.count - before.count).max(1.0) * 1e3;

    say(&format!("{due} timers due together"));
    let soon = format!("PT{}S", SOON.as_secs());
    put_policy(commands.address, &tokens, Some(&policy), &soon).await?;
    create(commands.address, &tokens, due).await?;
    let last_due = Instant::now() + SOON;
    fills::caught_up(desk, LIMIT).await?;
    anyhow::ensure!(
        Instant::now() < last_due,
        "making the tickets took longer than their time"
    );
    let goal = fills::recorded_in(&log).await? + due;
    while fills::recorded_in(&log).await? < goal {
        anyhow::ensure!(last_due.elapsed() < LIMIT, "timers do not fire");
        pause(&SystemClock, LOOK_EVERY).await;
    }
    Ok(Fired {
        armed,
        pass_ms,
        due,
        seconds: last_due.elapsed().as_secs_f64(),
    })
}

/// Creates the policy for all tickets, or writes it anew; returns its id.
async fn put_policy(address: SocketAddr, tokens: &Tokens, id: Option<&str>, within: &str) -> anyhow::Result<String> {
    let body = format!(
        r#"{{"name":"Timers","targets":{{"first_response":{{"within":{{"elapsed":"{within}"}},"warn_percent":null}}}}}}"#
    );
    let request = match id {
        None => requests::json(&tokens.staff, "POST", "/v1/policies", &body),
        Some(id) => requests::json(&tokens.staff, "PUT", &format!("/v1/policies/{id}"), &body),
    };
    let mut connection = Connection::open(address).await?;
    let answer: serde_json::Value = serde_json::from_slice(connection.exchange(request.as_bytes()).await?)?;
    let id = answer.get("id").and_then(serde_json::Value::as_str);
    Ok(id.context("a policy without an id")?.to_owned())
}

async fn create(address: SocketAddr, tokens: &Tokens, tickets: u64) -> anyhow::Result<()> {
    let mut keys = Keys::new();
    let mut left = tickets;
    while left > 0 {
        let lines = left.min(LINES);
        let mut template = requests::bulk(tokens, usize::try_from(lines)?);
        crate::bulk::send(address, template.fill(&mut keys, &[b'0'; ID_BYTES])).await?;
        left -= lines;
    }
    Ok(())
}

/// The scheduler's passes so far.
struct Passes {
    count: f64,
    seconds: f64,
}

async fn passes(address: SocketAddr) -> anyhow::Result<Passes> {
    let mut connection = Connection::open(address).await?;
    let body = connection
        .exchange(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    let text = String::from_utf8_lossy(body).into_owned();
    let value = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.split(['{', ' ']).next() == Some(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .with_context(|| format!("no metric {name}"))
    };
    Ok(Passes {
        count: value("sla_pass_seconds_count")?,
        seconds: value("sla_pass_seconds_sum")?,
    })
}

fn report(machine: &str, tickets: u64, reading: &Filling, rehearsal: &Filling, fired: &[Fired]) -> String {
    let rate = |filling: &Filling| float(filling.records) / filling.seconds;
    let mut lines = vec![
        "# How fast time is".to_owned(),
        String::new(),
        machine.to_owned(),
        String::new(),
        "| figure | wanted | found |".to_owned(),
        "|---|---:|---:|".to_owned(),
        format!(
            "| rehearsing {tickets} tickets, {} records, under a policy with three targets | ≤ 60 s | {:.1} s |",
            rehearsal.records, rehearsal.seconds
        ),
        format!(
            "| the same: records a second, and as a part of reading the log alone | | {:.0}, {:.2} |",
            rate(rehearsal),
            rate(rehearsal) / rate(reading)
        ),
    ];
    for Fired {
        armed,
        pass_ms,
        due,
        seconds,
    } in fired
    {
        lines.push(format!(
            "| a pass of the scheduler in which nothing is due, {armed} timers armed | independent of how many | {pass_ms:.2} ms |"
        ));
        lines.push(format!(
            "| {due} timers due together, {armed} others armed: the last is fired after | ≤ 10 s | {seconds:.1} s |"
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}
