//! `recourse token`: the tokens that callers present.

mod desk;

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::{Subcommand, ValueEnum};
use domain::Timestamp;
use domain::actor::{Actor, Permission};
use domain::directory::EntryKind;
use domain::text::Label;
use domain::token_scope::TokenScope;
use service_kit::tokens::{GrantKind, PREFIX, TokenGrant, TokenHash, generate};
use service_kit::{Clock as _, SystemClock};
use uuid::Uuid;

use self::desk::{Desk, Expected};

/// Arguments of `recourse token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, alone, on standard output. It is shown this once and kept hashed.
    Create(Create),
    /// Make a token worthless, for good.
    Revoke(Revoke),
    /// List tokens by their hashes, with when they were made and, to within some minutes, last used (UTC), and whom they make
    /// of their bearer.
    List(List),
}

/// Which desk is meant.
#[derive(Debug, clap::Args)]
struct DeskArgs {
    /// The data directory of a desk on this machine that `recourse up` runs.
    #[arg(
        long,
        env = "RECOURSE_DATA_DIR",
        default_value = "./recourse-data",
        value_name = "DIR"
    )]
    data_dir: PathBuf,
    /// The NATS server of a desk elsewhere, instead of a data directory.
    #[arg(long, env = "RECOURSE_NATS_URL", hide_env_values = true, value_name = "URL")]
    nats_url: Option<String>,
    /// The API of a desk elsewhere. With it, the command returns once the desk has taken notice.
    #[arg(long, env = "RECOURSE_URL", value_name = "URL")]
    url: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Create {
    #[command(flatten)]
    desk: DeskArgs,
    /// The person that the bearer acts as. Several tokens may name the same one.
    #[arg(long)]
    user: Uuid,
    /// The person's name, as lists and timelines show it.
    #[arg(long)]
    name: String,
    /// Whether the person works for the desk or is served by it.
    #[arg(long, value_enum)]
    kind: Kind,
    /// The organisation that the person belongs to.
    #[arg(long, value_name = "UUID")]
    organisation: Option<Uuid>,
    /// The groups that the person belongs to.
    #[arg(long, value_delimiter = ',', value_name = "UUID,…")]
    groups: Vec<Uuid>,
    /// The person holds a leading role in these groups, and so sees their open tickets.
    #[arg(long)]
    leading: bool,
    /// What a member of staff may do beyond the ordinary. Without this flag `close_any`; with it what it names and
    /// nothing else.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PERMISSION,…")]
    permissions: Option<Vec<Granted>>,
    /// What the token is for, of all that its user may: `tickets:read`, `tickets:write`, `directory:read`, `directory:write`,
    /// `desk:read`, `desk:write`. Without this flag everything.
    #[arg(long, value_parser = scope, value_delimiter = ',', value_name = "SCOPE,…")]
    scopes: Option<Vec<TokenScope>>,
    /// What it is for, in words, so that people know it again.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// From when on it is worthless: an RFC 3339 time. Without this flag it is good until it is revoked.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    #[command(flatten)]
    desk: DeskArgs,
    /// The token, or its hash as `recourse token list` shows it.
    #[arg(value_name = "TOKEN|HASH")]
    token: String,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    desk: DeskArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Works for the desk.
    Staff,
    /// Is served by the desk.
    Customer,
}

impl From<Kind> for GrantKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Staff => Self::Staff,
            Kind::Customer => Self::Customer,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Granted {
    /// Give commands in other people's names and with past times.
    Import,
    /// Close a ticket whose closure nobody proposed.
    CloseAny,
    /// Write what is known of users, groups, organisations, roles, permission sets, and the catalogue.
    Administer,
    /// Look at the desk through a customer's eyes.
    ViewAs,
    /// Write profiles of organisations.
    ManageOrganisations,
    /// Write items of the catalogue.
    ManageCatalogue,
    /// Write portals.
    ManagePortals,
    /// Nothing.
    None,
}

impl Granted {
    const fn permission(self) -> Option<Permission> {
        match self {
            Self::Import => Some(Permission::Import),
            Self::CloseAny => Some(Permission::CloseAny),
            Self::Administer => Some(Permission::Administer),
            Self::ViewAs => Some(Permission::ViewAs),
            Self::ManageOrganisations => Some(Permission::ManageOrganisations),
            Self::ManageCatalogue => Some(Permission::ManageCatalogue),
            Self::ManagePortals => Some(Permission::ManagePortals),
            Self::None => None,
        }
    }
}

fn scope(name: &str) -> anyhow::Result<TokenScope> {
    TokenScope::parse(name)
        .with_context(|| format!("must be of: {}", TokenScope::ALL.map(TokenScope::as_str).join(", ")))
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(async {
        match args.command {
            Command::Create(create) => create.run().await,
            Command::Revoke(revoke) => Box::pin(revoke.run()).await,
            Command::List(list) => list.run().await,
        }
    })
}

impl Create {
    #[expect(clippy::print_stdout, reason = "the token is what the command is asked for")]
    async fn run(self) -> anyhow::Result<()> {
        let name = Label::parse(&self.name).context("the name is not acceptable")?;
        if let Some(purpose) = &self.purpose {
            Label::parse(purpose).context("the purpose is not acceptable")?;
        }
        let grant = self.grant()?;
        let desk = Desk::open(&self.desk).await?;
        desk.log
            .directory()
            .name(EntryKind::User, self.user, &name, &Actor::system())
            .await?;
        let (token, hash) = generate();
        desk.log.tokens().put(hash, &grant).await?;
        // Printed before anything else can fail: it cannot be had again.
        println!("{token}");
        desk.wait_until(Expected::Accepted, &token).await;
        Ok(())
    }

    fn grant(&self) -> anyhow::Result<TokenGrant> {
        let permissions = match (self.kind, &self.permissions) {
            (Kind::Staff, None) => vec![Permission::CloseAny],
            (_, Some(named)) => named.iter().copied().filter_map(Granted::permission).collect(),
            (Kind::Customer, None) => Vec::new(),
        };
        ensure!(
            self.kind == Kind::Staff || permissions.is_empty(),
            "customers hold no permissions: leave --permissions out, or say --kind staff"
        );
        let now = SystemClock.now();
        ensure!(
            self.expires.is_none_or(|end| now < end),
            "a token that is over already is of no use: give --expires a time to come"
        );
        ensure!(
            !self.leading || !self.groups.is_empty(),
            "a leading role is held in groups: name them with --groups, or leave --leading out"
        );
        Ok(TokenGrant {
            user: self.user,
            name: self.name.trim().to_owned(),
            kind: self.kind.into(),
            organisation: self.organisation,
            groups: self.groups.clone(),
            leading: self.leading,
            permissions: permissions
                .into_iter()
                .map(|permission| permission.as_str().to_owned())
                .collect(),
            created_at: now,
            revoked_at: None,
            expires_at: self.expires,
            session: None,
            viewer: None,
            scopes: self.scopes.as_ref().map(|scopes| {
                let names = scopes.iter().map(|scope| scope.as_str().to_owned());
                names.collect()
            }),
            purpose: self.purpose.as_ref().map(|purpose| purpose.trim().to_owned()),
        })
    }
}

impl Revoke {
    #[expect(clippy::print_stderr, reason = "says what became of the token")]
    async fn run(self) -> anyhow::Result<()> {
        let token = self.token.starts_with(PREFIX).then_some(self.token.as_str());
        let hash = match token {
            Some(token) => TokenHash::of(token),
            None => self.token.parse().with_context(|| {
                format!("give a token, which begins with {PREFIX}, or a hash as `recourse token list` shows it")
            })?,
        };
        let desk = Desk::open(&self.desk).await?;
        let tokens = desk.log.tokens();
        let Some(mut grant) = tokens.get(hash).await? else {
            bail!("this desk knows no such token: `recourse token list` shows those that it knows");
        };
        if !grant.is_revoked() {
            grant.revoked_at = Some(SystemClock.now());
            tokens.put(hash, &grant).await?;
        }
        if let Some(token) = token {
            desk.wait_until(Expected::Refused, token).await;
        }
        eprintln!("revoked {hash}, a token of {}", grant.name);
        Ok(())
    }
}

impl List {
    #[expect(clippy::print_stdout, reason = "the list is what the command is asked for")]
    async fn run(self) -> anyhow::Result<()> {
        let desk = Desk::open(&self.desk).await?;
        let mut grants = desk.grants().await?;
        grants.sort_by_key(|(_, grant)| grant.created_at);
        let now = SystemClock.now();
        println!(
            "{:<64} {:<8} {:<10} {:<17} {:<36} {:<18} {:<14} NAME",
            "HASH", "KIND", "MADE", "LAST USED", "USER", "PERMISSIONS", "SCOPES"
        );
        for (hash, grant) in grants {
            let kind = if grant.is_revoked() {
                "revoked"
            } else if !grant.is_good(now) {
                "over"
            } else if grant.session.is_some() {
                "session"
            } else if grant.viewer.is_some() {
                "view"
            } else {
                domain::actor::ActorKind::from(grant.kind).as_str()
            };
            let used = match (&grant.session, &grant.viewer) {
                (None, None) => last_use(&desk, hash, &grant).await?,
                // They end by themselves, and nobody notes their use.
                (Some(_), _) | (_, Some(_)) => "-".to_owned(),
            };
            let (day, permissions) = (grant.created_at.strftime("%F"), grant.permissions.join(","));
            let scopes = grant
                .scopes
                .as_ref()
                .map_or("all".to_owned(), |scopes| scopes.join(","));
            let purpose = grant
                .purpose
                .as_ref()
                .map(|purpose| format!(" ({purpose})"))
                .unwrap_or_default();
            println!(
                "{hash} {kind:<8} {day:<10} {used:<17} {} {permissions:<18} {scopes:<14} {}{purpose}",
                grant.user, grant.name
            );
        }
        Ok(())
    }
}

/// When a token was last used, for people to read.
async fn last_use(desk: &Desk, hash: TokenHash, grant: &TokenGrant) -> anyhow::Result<String> {
    let used = desk.log.tokens().last_use(hash).await?;
    let used = used.filter(|at| grant.is_used_at(*at));
    Ok(used.map_or("never".to_owned(), |at| at.strftime("%FT%H:%MZ").to_string()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        create: Create,
    }

    fn grant(words: &[&str]) -> anyhow::Result<TokenGrant> {
        let user = [
            "token",
            "--user",
            "00000000-0000-0000-0000-000000000001",
            "--name",
            " Ada ",
        ];
        Line::try_parse_from(user.iter().chain(words)).unwrap().create.grant()
    }

    #[test]
    fn staff_may_close_any_ticket_unless_permissions_are_named() {
        assert_eq!(grant(&["--kind", "staff"]).unwrap().permissions, ["close_any"]);
        assert_eq!(
            grant(&["--kind", "staff", "--permissions", "import"])
                .unwrap()
                .permissions,
            ["import"]
        );
        let both = grant(&["--kind", "staff", "--permissions", "import,close_any"]).unwrap();
        assert_eq!(both.permissions, ["import", "close_any"]);
        assert!(
            grant(&["--kind", "staff", "--permissions", "none"])
                .unwrap()
                .permissions
                .is_empty()
        );
    }

    #[test]
    fn customers_hold_no_permissions() {
        assert!(grant(&["--kind", "customer"]).unwrap().permissions.is_empty());
        assert!(grant(&["--kind", "customer", "--permissions", "import"]).is_err());
    }

    #[test]
    fn groups_are_separated_by_commas_and_lead_only_where_there_are_some() {
        let two = "00000000-0000-0000-0000-000000000002,00000000-0000-0000-0000-000000000003";
        let grant_of_leader = grant(&["--kind", "customer", "--groups", two, "--leading"]).unwrap();
        assert_eq!((grant_of_leader.groups.len(), grant_of_leader.leading), (2, true));
        assert!(grant(&["--kind", "customer", "--leading"]).is_err());
    }
}
