//! The command line: every subcommand, and the module that carries it out.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::{calendar, demo, import, openapi, projection, serve, services, sla, token, up};

/// Recourse, an event-sourced support desk.
///
/// `recourse up` starts everything on this machine with one command. In production each service runs on its own, in any
/// number: `recourse command-service`, `projector`, `query-api` and `sla-scheduler`.
///
/// Flags that name an environment variable can be given either way; the flag wins.
#[derive(Debug, Parser)]
#[command(name = "recourse", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::enum_variant_names, reason = "`command-service` is a service's name")]
enum Command {
    /// Start the whole desk: NATS, Postgres and all four services, with their data in one directory.
    Up(up::Args),
    /// All four services in one process, as `recourse up` starts them.
    #[command(hide = true)]
    Serve(serve::Args),
    /// Become a program that ends when its parent does, as `recourse up` starts servers.
    #[command(name = servers::launch::SUBCOMMAND, hide = true)]
    ExecServer {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the service that takes commands over HTTP and appends them to the log.
    CommandService(services::CommandServiceArgs),
    /// Run the service that turns the log into read models in Postgres.
    Projector(services::ProjectorArgs),
    /// Run the service that answers queries over HTTP from the read models.
    QueryApi(services::QueryApiArgs),
    /// Run the service that ends waits when they are due.
    SlaScheduler(services::SlaSchedulerArgs),
    /// Create, revoke and list the tokens that callers present.
    Token(token::Args),
    /// Look after the read models: list, verify, rebuild, switch back, pause, resume, skip, drop.
    Projection(projection::Args),
    /// Look after the calendars of a running desk: import holidays.
    Calendar(calendar::Args),
    /// Rehearse what a policy for promised times would have made of a running desk's history.
    Sla(sla::Args),
    /// Bring tickets from elsewhere into a running desk.
    Import(import::Args),
    /// Fill a running desk with made-up tickets that have lived whole lives, to try it out or to measure it.
    Demo(demo::Args),
    /// Print the OpenAPI 3.1 document of the HTTP API, as `/v1/openapi.json` serves it.
    Openapi,
}

/// Carries out what the command line asks for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Up(args) => up::run(args),
        Command::Serve(args) => serve::run(args),
        Command::ExecServer { args } => Err(servers::launch::exec(args).into()),
        Command::CommandService(args) => services::command_service(args),
        Command::Projector(args) => services::projector(args),
        Command::QueryApi(args) => services::query_api(args),
        Command::SlaScheduler(args) => services::sla_scheduler(args),
        Command::Token(args) => token::run(args),
        Command::Projection(args) => projection::run(args),
        Command::Calendar(args) => calendar::run(args),
        Command::Sla(args) => sla::run(args),
        Command::Import(args) => import::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Openapi => openapi::run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_and_every_subcommand_is_documented() {
        fn check(command: &clap::Command) {
            for arg in command
                .get_arguments()
                .filter(|arg| !["help", "version", "args"].contains(&arg.get_id().as_str()))
            {
                assert!(
                    arg.get_help().is_some(),
                    "`{}` says nothing about `{}`",
                    command.get_name(),
                    arg.get_id()
                );
            }
            for subcommand in command.get_subcommands() {
                assert!(
                    subcommand.get_about().is_some(),
                    "`{}` says nothing",
                    subcommand.get_name()
                );
                check(subcommand);
            }
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }
}
