//! `bench access`: what it costs to look up what callers may see and do.
//!
//! Two desks have the same tickets and the same callers. On the bare one nothing is known of anybody but what their tokens
//! say; the peopled one has a directory of many users, and the callers have profiles in it.
//!
//! * [`people`] is that directory.
//! * [`table`] is the report.

mod people;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use event_log::{EventLog, Source};
use servers::nats::Sync;
use service_kit::{
    clock::{Clock as _, SystemClock, pause},
    tokens::GrantKind,
};
use tokio::runtime::{self, Runtime};

use self::{
    people::{Known, Sizes},
    table::{Filled, Measured, Report},
};
use crate::{
    commands::{print, say},
    desk::{self, Desk, Service},
    load::{self, Durations, Window},
    machine,
    read::{
        fills, make,
        state::State,
        timed::{Client, Effort},
    },
    requests::{self, Template},
    site::token_of as token,
    statistics::float,
};

/// What to measure, at which sizes, and where the desks are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tickets that both desks have at first.
    #[arg(long, default_value_t = 20_000)]
    tickets: u64,
    #[command(flatten)]
    sizes: Sizes,
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds that each measurement takes, after the warm-up.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each measurement.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds to wait, before each measurement, for others to leave the machine alone.
    #[arg(long, default_value_t = 10.0)]
    patience: f64,
    /// Where both desks are kept; what an earlier run left there is removed. Default: beside this program.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The program of the desk. `cargo xtask bench` names the one that it has built.
    #[arg(long, env = "RECOURSE_BIN", default_value = "target/release/recourse")]
    recourse: PathBuf,
}

/// How long a projector may take for all that a desk has.
const FILL_WITHIN: Duration = Duration::from_hours(1);
/// How long it may take for what one measurement left behind.
const CATCH_UP: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Connections of those who give commands, and of those who ask, each with one request at a time.
const COMMANDING: usize = 16;
const ASKING: usize = 4;

/// One of the two desks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Without profiles.
    Bare,
    /// With a large directory.
    Peopled,
}

impl Side {
    const ALL: [Self; 2] = [Self::Bare, Self::Peopled];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Peopled => "peopled",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Staff,
    Customers,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Creations.
    Creates,
    /// The first page of the list.
    Lists,
    /// One ticket.
    Tickets,
}

/// A load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    what: What,
    who: Who,
}

impl Load {
    /// All of them, in the order of the table.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let whats = [What::Creates, What::Lists, What::Tickets];
        whats
            .into_iter()
            .flat_map(|what| [Who::Staff, Who::Customers].map(|who| Self { what, who }))
    }

    const fn connections(self) -> usize {
        match self.what {
            What::Creates => COMMANDING,
            What::Lists | What::Tickets => ASKING,
        }
    }

    /// How it is called in the table.
    pub(super) fn name(self) -> String {
        let what = match self.what {
            What::Creates => "`POST /v1/tickets`",
            What::Lists => "`GET /v1/tickets?limit=20`",
            What::Tickets => "`GET /v1/tickets/{id}`",
        };
        let who = match self.who {
            Who::Staff => "staff",
            Who::Customers => "customers",
        };
        format!("{what} by {who}, {} connections", self.connections())
    }
}

/// A desk with its services, and the tokens of its callers.
struct House {
    side: Side,
    // Fields are dropped in order: services before the servers that they need.
    queries: Service,
    commands: Service,
    _projector: Service,
    desk: Desk,
    staff: Vec<String>,
    customers: Vec<String>,
    filled: Filled,
}

struct Bench<'a> {
    args: &'a Args,
    recourse: PathBuf,
    data: PathBuf,
    /// When the made-up history ends, at both desks.
    until: String,
    /// The load generator has one thread, so that it is the same in every measurement.
    runtime: Runtime,
}

/// Measures, and prints the table.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (data, recourse) = desk::place("bench-access", args.data.as_deref(), &args.recourse)?;
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let mut report = Report::new(machine::describe(&data)?, args.tickets, args.sizes);
    let bench = Bench {
        args,
        recourse,
        data,
        until: SystemClock.now().to_string(),
        runtime: runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let bare = bench.desk(Side::Bare)?;
    let projector = bench.fill(&bare)?;
    // The users whom the tickets of one desk know are those whom the other's know.
    let known = bench
        .runtime
        .block_on(async { Known::look(&mut bare.database().await?).await })?;
    let bare = bench.move_in(Side::Bare, bare, projector, &known)?;
    let peopled = bench.desk(Side::Peopled)?;
    let projector = bench.fill(&peopled)?;
    let peopled = bench.move_in(Side::Peopled, peopled, projector, &known)?;
    let houses = [bare, peopled];
    bench.measure_all(&houses, &known, &mut report)?;
    for house in houses {
        report.memory(house.side, house.filled, house.commands.mib());
        house.stop();
    }
    print(&report.to_string());
    Ok(())
}

impl Bench<'_> {
    /// A desk with its tickets, and nothing of an earlier run.
    fn desk(&self, side: Side) -> anyhow::Result<Desk> {
        let dir = self.data.join(side.as_str());
        remove(&dir)?;
        let desk = Desk::start(&dir, &self.recourse, Sync::Lazy)?;
        let mut state = State {
            until: Some(self.until.clone()),
            ..State::default()
        };
        make(&mut state, &dir, &desk, self.args.tickets)?;
        Ok(desk)
    }

    /// Starts a projector, and waits until it has read all tickets.
    fn fill(&self, desk: &Desk) -> anyhow::Result<Service> {
        say("filling the read models");
        let projector = desk.service_unready("projector")?;
        self.runtime.block_on(fills::caught_up(desk, FILL_WITHIN))?;
        Ok(projector)
    }

    /// Gives the desk its callers, the directory if it is to have one, and its services.
    fn move_in(&self, side: Side, desk: Desk, projector: Service, known: &Known) -> anyhow::Result<House> {
        let (staff, customers, profiles, seconds) = self.runtime.block_on(async {
            let log = desk.log().await?;
            let (mut staff, mut customers) = (Vec::new(), Vec::new());
            for user in &known.staff {
                staff.push(token(&log, GrantKind::Staff, *user, None).await?);
            }
            for one in &known.customers {
                customers.push(token(&log, GrantKind::Customer, one.id, Some(one.organisation)).await?);
            }
            let profiles = match side {
                Side::Bare => Vec::new(),
                Side::Peopled => known.profiles(self.args.sizes)?,
            };
            let began = Instant::now();
            people::write(&log, &profiles).await?;
            let seconds = began.elapsed().as_secs_f64();
            directory_caught_up(&desk, &log).await?;
            fills::settle(&desk).await?;
            anyhow::Ok((staff, customers, profiles.len(), seconds))
        })?;
        // Ready services know all tokens and profiles that were there before they started.
        let commands = desk.service("command-service")?;
        let queries = desk.service("query-api")?;
        self.runtime.block_on(async {
            let effort = Effort {
                requests: 1,
                time: Duration::ZERO,
            };
            let mut client = Client::connect(queries.address, effort).await?;
            for token in staff.iter().chain(&customers) {
                client.wait_until_known(token).await?;
            }
            anyhow::Ok(())
        })?;
        Ok(House {
            side,
            filled: Filled {
                profiles,
                seconds,
                mib: commands.mib(),
            },
            queries,
            commands,
            _projector: projector,
            desk,
            staff,
            customers,
        })
    }

    fn measure_all(&self, houses: &[House; 2], known: &Known, report: &mut Report) -> anyhow::Result<()> {
        for round in 1..=self.args.rounds {
            let mut pairs: Vec<(Load, &House)> = Load::all()
                .flat_map(|load| houses.iter().map(move |house| (load, house)))
                .collect();
            // Every other round backwards, so that what comes later in a round is not always the same.
            if round % 2 == 0 {
                pairs.reverse();
            }
            for (load, house) in pairs {
                self.wait_for_quiet(houses)?;
                let what = format!("round {round}: {}: {}", house.side.as_str(), load.name());
                let measured = self.measure(load, house, known).context(what.clone())?;
                say(&format!("{what}: {measured}"));
                report.add(load, house.side, measured);
            }
        }
        Ok(())
    }

    /// What an earlier measurement left to do is not to be done meanwhile.
    fn wait_for_quiet(&self, houses: &[House; 2]) -> anyhow::Result<()> {
        for house in houses {
            self.runtime.block_on(fills::caught_up(&house.desk, CATCH_UP))?;
        }
        nix::unistd::sync();
        let impatient = Instant::now() + Duration::from_secs_f64(self.args.patience);
        while machine::others_are_busy() && Instant::now() < impatient {}
        Ok(())
    }

    fn measure(&self, load: Load, house: &House, known: &Known) -> anyhow::Result<Measured> {
        let durations = Durations {
            warm_up: Duration::from_secs_f64(self.args.warm_up),
            measured: Duration::from_secs_f64(self.args.seconds),
        };
        let address = match load.what {
            What::Creates => house.commands.address,
            What::Lists | What::Tickets => house.queries.address,
        };
        let script = house.script(load, known);
        let sample = self.runtime.block_on(async {
            let window = Window::starting_now(durations);
            load::callers(address, &script, load.connections(), window).await
        })?;
        Ok(Measured {
            per_second: float(sample.done) / durations.measured.as_secs_f64(),
            p50_ms: sample.p50().as_secs_f64() * 1e3,
        })
    }
}

impl House {
    /// Each caller in turn.
    fn script(&self, load: Load, known: &Known) -> Vec<Template> {
        let tokens = match load.who {
            Who::Staff => &self.staff,
            Who::Customers => &self.customers,
        };
        let request = |(token, customer): (&String, &people::Requester)| match load.what {
            What::Creates => requests::create_by(token),
            What::Lists => requests::get(token, "/v1/tickets?limit=20"),
            What::Tickets => requests::get(token, &format!("/v1/tickets/{}", customer.ticket)),
        };
        tokens.iter().zip(&known.customers).map(request).collect()
    }

    /// Stops everything in order.
    fn stop(self) {
        let Self {
            queries,
            commands,
            _projector: projector,
            desk,
            ..
        } = self;
        drop((queries, commands, projector));
        desk.stop();
    }
}

fn remove(dir: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}

/// Waits until the read models have what the log knows of people now.
async fn directory_caught_up(desk: &Desk, log: &EventLog) -> anyhow::Result<()> {
    let goal = i64::try_from(log.last_sequence(Source::Directory).await?)?;
    let mut db = desk.database().await?;
    let began = Instant::now();
    loop {
        let reached: Option<i64> =
            sqlx::query_scalar("SELECT sequence FROM desk.checkpoints WHERE projection = 'directory'")
                .fetch_optional(&mut db)
                .await?;
        if reached.is_some_and(|at| at >= goal) {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < FILL_WITHIN, "the projector does not catch up");
        pause(&SystemClock, LOOK_EVERY).await;
    }
}
