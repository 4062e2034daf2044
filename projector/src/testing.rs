//! For the tests of this crate and of others.

use event_log::EventLog;
use service_kit::{Health, Shutdown};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row as _};

use crate::database::{DatabaseError, MIGRATOR};
use crate::{RunError, Settings, analytics, generation};

/// Every table that is made from the log, as text: equal texts, equal tables. Checkpoints are left
/// out, because how far a log was read says nothing about its content.
pub async fn dump(pool: &PgPool) -> Result<String, sqlx::Error> {
    let mut text = String::new();
    for table in TABLES {
        // The names are the constants below.
        let query = format!("SELECT to_jsonb(row)::text FROM {table} AS row ORDER BY 1");
        text.extend(["# ", table, "\n"]);
        for row in sqlx::query(AssertSqlSafe(query)).fetch_all(pool).await? {
            text.push_str(row.try_get(0)?);
            text.push('\n');
        }
    }
    Ok(text)
}

/// Projects as [`crate::project`] does, but fills a read model at once however few records are missing.
pub async fn project_filling_at_once(
    log: EventLog,
    database_url: &str,
    settings: Settings,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    crate::project_filling_from(1, log, database_url, settings, health, shutdown).await
}

/// Makes the tables of a fresh database, as a projector of a log with one partition does.
pub async fn prepare(pool: &PgPool) -> Result<(), DatabaseError> {
    MIGRATOR.run(pool).await.map_err(DatabaseError::Migrate)?;
    generation::ensure(pool, 1).await.map_err(DatabaseError::Generation)?;
    analytics::ensure(pool).await.map_err(DatabaseError::Analytics)
}

const TABLES: [&str; 55] = [
    "desk.tickets",
    "desk.ticket_versions",
    "desk.descriptions",
    "desk.timeline",
    "desk.ticket_texts",
    "desk.ticket_timers",
    "desk.ticket_clocks",
    "desk.measures",
    "desk.measure_counts",
    "desk.counters",
    "desk.daily",
    "desk.daily_ratings",
    "desk.directory_names",
    "desk.directory_name_versions",
    "desk.calendars",
    "desk.calendar_versions",
    "desk.policies",
    "desk.policy_versions",
    "desk.contracts",
    "desk.contract_versions",
    "desk.actions",
    "desk.digests",
    "desk.users",
    "desk.user_versions",
    "desk.groups",
    "desk.group_versions",
    "desk.organisations",
    "desk.organisation_versions",
    "desk.roles",
    "desk.role_versions",
    "desk.permission_sets",
    "desk.permission_set_versions",
    "desk.projects",
    "desk.project_versions",
    "desk.portals",
    "desk.portal_versions",
    "desk.catalogue_types",
    "desk.catalogue_type_versions",
    "desk.catalogue_priorities",
    "desk.catalogue_priority_versions",
    "desk.catalogue_categories",
    "desk.catalogue_category_versions",
    "desk.catalogue_systems",
    "desk.catalogue_system_versions",
    "desk.catalogue_environments",
    "desk.catalogue_environment_versions",
    "desk.catalogue_products",
    "desk.catalogue_product_versions",
    "desk.catalogue_service_catalogues",
    "desk.catalogue_service_catalogue_versions",
    "desk.catalogue_services",
    "desk.catalogue_service_versions",
    "desk.catalogue_custom_fields",
    "desk.catalogue_custom_field_versions",
    "recourse.access_tokens",
];
