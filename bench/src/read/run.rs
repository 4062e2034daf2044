//! The phases, in order, at each desk.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::ValueEnum;
use event_log::EventLog;
use servers::nats::Sync;
use service_kit::{
    clock::{Clock as _, SystemClock},
    tokens::GrantKind,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{
    cases::{self, Caller, Case},
    exports, fills,
    state::{State, Timing},
    tables,
    timed::{Client, Effort},
    values::{self, Values},
    visible,
};
use crate::{
    commands::{print, say},
    desk::{self, Desk, Service},
    machine,
    requests::Tokens,
    site::token_of as token,
};

/// How long a projector may take to fill tables that lack everything.
const FILL_WITHIN: Duration = Duration::from_hours(1);

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Phase {
    /// The tickets themselves, and nothing more.
    Make,
    /// Reading the log alone: the limit of a rebuild.
    Reading,
    /// The live projection, from nothing, at the smaller desk.
    Live,
    /// Raw COPY of the same rows: the limit of the live projection.
    Copy,
    /// The rebuild.
    Rebuild,
    /// Lists with one filter and one sort.
    List,
    /// Lists with three filters and a sort, at the larger desk.
    Combined,
    /// The dashboard.
    Dashboard,
    /// Lists of the past, at the larger desk.
    AsOf,
    /// Search, at the larger desk.
    Search,
    /// An export of everything as CSV.
    Export,
    /// From the acknowledgement to the list, at the larger desk. Adds tickets to it.
    Visible,
}

/// Which desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Size {
    Small,
    Large,
}

/// What to measure, at which sizes, and where the desks are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tickets of the smaller desk.
    #[arg(long, default_value_t = 10_000)]
    small: u64,
    /// Tickets of the larger desk. A million take about 30 GB of disk and half an hour to make and to fill.
    #[arg(long, default_value_t = 1_000_000)]
    large: u64,
    /// Where both desks and what was found are kept; another run goes on there. Default: beside this program.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only these phases, whose desks are made and filled first; the table has what other runs found for the rest.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Phase>,
    /// Only one of the desks.
    #[arg(long, value_enum)]
    desk: Option<Size>,
    /// How often each case is asked, if time allows.
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// Seconds that each case takes at most.
    #[arg(long, default_value_t = 1.0)]
    case_seconds: f64,
    /// Of the lists of the past, only every so many-th: some of them take seconds.
    #[arg(long, value_name = "N", default_value = "1")]
    as_of_every: NonZeroUsize,
    /// Seconds after which the live projection is stopped and the tables are filled otherwise.
    #[arg(long, default_value_t = 300)]
    live_seconds: u64,
    /// The program of the desk. `cargo xtask bench` names the one that it has built.
    #[arg(long, env = "RECOURSE_BIN", default_value = "target/release/recourse")]
    recourse: PathBuf,
}

struct Bench<'a> {
    args: &'a Args,
    size: Size,
    dir: PathBuf,
    state: State,
    runtime: &'a Runtime,
}

/// Measures, and prints the tables.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (data, recourse) = desk::place(desk::READ, args.data.as_deref(), &args.recourse)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut states = Vec::new();
    for (size, tickets) in [(Size::Small, args.small), (Size::Large, args.large)] {
        let dir = data.join(tickets.to_string());
        let mut bench = Bench {
            args,
            size,
            state: State::read(&dir)?,
            dir,
            runtime: &runtime,
        };
        if args.desk.is_none_or(|desk| desk == size) {
            bench
                .run(tickets, &recourse)
                .with_context(|| format!("at {tickets} tickets"))?;
        }
        states.push((tickets, bench.state));
    }
    let machine = machine::describe(&data)?;
    print(&tables::report(&machine, &states));
    Ok(())
}

impl Bench<'_> {
    fn wants(&self, phase: Phase) -> bool {
        let of_this_size = match phase {
            Phase::Combined | Phase::AsOf | Phase::Search | Phase::Visible => self.size == Size::Large,
            // A projector that finds so much missing does not follow record by record: it fills the tables as a rebuild does.
            Phase::Live => self.size == Size::Small,
            Phase::Make
            | Phase::Reading
            | Phase::Copy
            | Phase::Rebuild
            | Phase::List
            | Phase::Dashboard
            | Phase::Export => true,
        };
        of_this_size && (self.args.only.is_empty() || self.args.only.contains(&phase))
    }

    fn save(&self) -> anyhow::Result<()> {
        self.state.write(&self.dir)
    }

    fn run(&mut self, tickets: u64, recourse: &Path) -> anyhow::Result<()> {
        let desk = Desk::start(&self.dir, recourse, Sync::Lazy)?;
        make(&mut self.state, &self.dir, &desk, tickets)?;
        if self.args.only == [Phase::Make] {
            desk.stop();
            return Ok(());
        }
        self.fill(&desk)?;
        let reads = [
            Phase::List,
            Phase::Combined,
            Phase::Dashboard,
            Phase::AsOf,
            Phase::Search,
            Phase::Export,
        ];
        if reads.iter().any(|phase| self.wants(*phase)) {
            self.read(&desk)?;
        }
        desk.stop();
        if self.wants(Phase::Visible) {
            // As the desk runs by default: what is acknowledged is on the disk.
            let desk = Desk::start(&self.dir, recourse, Sync::Always)?;
            self.visible(&desk)?;
            desk.stop();
        }
        Ok(())
    }

    /// The read models: how fast they are made; and that they are whole afterwards.
    fn fill(&mut self, desk: &Desk) -> anyhow::Result<()> {
        let runtime = self.runtime;
        if self.wants(Phase::Reading) {
            say("reading the log");
            self.state.reading = Some(runtime.block_on(fills::reading(desk))?);
            self.save()?;
        }
        if self.wants(Phase::Live) {
            say("the live projection");
            let limit = Duration::from_secs(self.args.live_seconds);
            self.state.live = Some(runtime.block_on(fills::live(desk, limit))?);
            self.save()?;
            say(&format!("{:?}", self.state.live));
        }
        let mut filled = self.wants(Phase::Live);
        let whole = runtime.block_on(async {
            let mut db = desk.database().await?;
            let applied = fills::applied(&mut db).await.unwrap_or_default();
            anyhow::Ok(applied == fills::recorded(desk).await?)
        })?;
        if self.wants(Phase::Rebuild) || !whole {
            say("the rebuild");
            let _projector = desk.service_unready("projector")?;
            let filling = runtime.block_on(async {
                if whole {
                    fills::rebuild(desk).await
                } else {
                    fills::first_fill(desk, FILL_WITHIN).await
                }
            })?;
            self.state.rebuild = Some(filling);
            self.save()?;
            say(&format!("{:?}", self.state.rebuild));
            filled = true;
        }
        if self.wants(Phase::Copy) {
            say("raw COPY");
            self.state.copy = Some(runtime.block_on(fills::copy(desk))?);
            self.save()?;
        }
        if filled {
            runtime.block_on(fills::settle(desk))?;
        }
        Ok(())
    }

    fn read(&mut self, desk: &Desk) -> anyhow::Result<()> {
        let _projector = desk.service("projector")?;
        let service = desk.service("query-api")?;
        let runtime = self.runtime;
        runtime.block_on(self.ask_everything(desk, &service))?;
        if self.wants(Phase::List) {
            self.state.query_api_mib = Some(service.mib());
        }
        self.save()
    }

    async fn ask_everything(&mut self, desk: &Desk, service: &Service) -> anyhow::Result<()> {
        let effort = Effort {
            requests: self.args.requests,
            time: Duration::from_secs_f64(self.args.case_seconds),
        };
        let mut db = desk.database().await?;
        let values = values::look(&mut db).await?;
        let moments = values::moments(&mut db).await?;
        let callers = callers(&desk.log().await?, &values).await?;
        let mut client = Client::connect(service.address, effort).await?;
        for caller in &callers {
            client.wait_until_known(&caller.token).await?;
        }
        if self.wants(Phase::List) {
            self.state.list = all(&mut client, &cases::lists(&values, &callers), "list").await?;
            self.save()?;
        }
        if self.wants(Phase::Combined) {
            self.state.combined = all(&mut client, &cases::combined(&values, &callers), "combined").await?;
            self.save()?;
        }
        if self.wants(Phase::Dashboard) {
            let cases = cases::dashboards(&callers, &moments);
            self.state.dashboard = all(&mut client, &cases, "dashboard").await?;
            self.save()?;
        }
        if self.wants(Phase::Search) {
            self.state.search = all(&mut client, &cases::searches(&values, &callers), "search").await?;
            self.save()?;
        }
        if self.wants(Phase::AsOf) {
            let pairs = cases::as_of(&values, &callers, &moments);
            let pairs = pairs.into_iter().step_by(self.args.as_of_every.get());
            say(&format!("as_of: {} cases", pairs.len()));
            self.state.as_of.clear();
            for (present, past) in pairs {
                let timed = (client.time(&present).await?, client.time(&past).await?);
                self.state.as_of.push(timed);
                self.save()?;
            }
        }
        if self.wants(Phase::Export)
            && let Some(caller) = callers.first()
        {
            say("export");
            self.state.exports = Some(exports::csv(service, caller).await?);
        }
        Ok(())
    }

    fn visible(&mut self, desk: &Desk) -> anyhow::Result<()> {
        say("from the acknowledgement to the list");
        let commands = desk.service("command-service")?;
        let _projector = desk.service("projector")?;
        let queries = desk.service("query-api")?;
        let found = self.runtime.block_on(async {
            let log = desk.log().await?;
            let tokens = Tokens {
                staff: token(&log, GrantKind::Staff, Uuid::new_v4(), None).await?,
                customer: token(&log, GrantKind::Customer, Uuid::new_v4(), None).await?,
            };
            let effort = Effort {
                requests: 1,
                time: Duration::ZERO,
            };
            let mut client = Client::connect(queries.address, effort).await?;
            client.wait_until_known(&tokens.staff).await?;
            visible::measure(desk, &commands, &queries, &tokens).await
        })?;
        self.state.visible = Some(found);
        self.save()
    }
}

/// Fills the log of a desk, unless that was done.
pub(crate) fn make(state: &mut State, dir: &Path, desk: &Desk, tickets: u64) -> anyhow::Result<()> {
    if state.made {
        return Ok(());
    }
    say(&format!("making {tickets} tickets"));
    let now = || SystemClock.now().to_string();
    let until = state.until.get_or_insert_with(now).clone();
    state.write(dir)?;
    // Streams and buckets are made by whoever serves first.
    drop(desk.service("command-service")?);
    desk.make(tickets, &until)?;
    state.made = true;
    state.write(dir)
}

/// Somebody who sees everything, and the customer with most tickets.
async fn callers(log: &EventLog, values: &Values) -> anyhow::Result<Vec<Caller>> {
    let staff = token(log, GrantKind::Staff, Uuid::new_v4(), None).await?;
    let customer = token(log, GrantKind::Customer, values.customer, values.organisation).await?;
    Ok(vec![
        Caller {
            name: "staff",
            token: staff,
        },
        Caller {
            name: "customer",
            token: customer,
        },
    ])
}

async fn all(client: &mut Client, cases: &[Case], what: &str) -> anyhow::Result<Vec<Timing>> {
    say(&format!("{what}: {} cases", cases.len()));
    let mut found = Vec::new();
    for case in cases {
        found.push(client.time(case).await.with_context(|| case.name.clone())?);
    }
    Ok(found)
}
