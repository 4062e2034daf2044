//! What analysts read: views in a schema of their own, and a role that sees them and nothing else.
//!
//! The views stand on those of schema `desk`, so that they follow the generation that serves. They are made after
//! the first generation, and again whenever a release has other ones.

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};

use crate::database::{USUAL, begin};
use crate::generation;

/// The views.
const VIEWS: &str = include_str!("../schema/analytics.sql");

/// Whoever is given this role reads the views. It belongs to the server and not to one database, and nobody can
/// log in as it.
const ROLE: &str = "recourse_analyst";

/// What the role may do. Views read what is below them with the rights of who made them.
const GRANTS: &str = "GRANT USAGE ON SCHEMA analytics TO recourse_analyst;
     GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO recourse_analyst";

/// How the database stands.
#[derive(Debug, sqlx::FromRow)]
struct Standing {
    /// What was noted when the views were made, or nothing; `None` without the schema.
    version: Option<String>,
    role_exists: bool,
    /// Whether the role sees the schema.
    granted: bool,
    /// Whether the user of this connection may make roles.
    may_make_roles: bool,
}

/// Makes the views and the role, as far as they are not there. Without the right to make roles there are the
/// views alone, until somebody makes the role.
pub(crate) async fn ensure(db: &PgPool) -> Result<(), sqlx::Error> {
    let mut connection = db.acquire().await?;
    let noted = version();
    let seen = standing(&mut connection).await?;
    if seen.version.as_ref() == Some(&noted) && (seen.granted || !(seen.role_exists || seen.may_make_roles)) {
        return Ok(());
    }
    drop(connection);
    let mut tx = begin(db, USUAL).await?;
    generation::lock(&mut tx).await?;
    let mut seen = standing(&mut tx).await?;
    if of_another_release(&mut tx).await? {
        // The views of this release may ask for columns that are not there before its own tables are shown.
        return tx.rollback().await;
    }
    if seen.version.as_ref() != Some(&noted) {
        make_views(&mut tx).await?;
        tracing::info!("made the views of schema analytics");
        if !seen.role_exists && !seen.may_make_roles {
            tracing::warn!(
                "the database's user may not make roles: there is no role {ROLE}, and analysts cannot be given the views; \
                 an administrator can make it with CREATE ROLE {ROLE} NOLOGIN, and the projector gives it its rights at once"
            );
        }
    }
    if !seen.role_exists && seen.may_make_roles {
        make_role(&mut tx).await?;
        seen.role_exists = true;
    }
    if seen.role_exists {
        sqlx::raw_sql(GRANTS).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Notes that the views are gone, because something that they stand on was made anew.
pub(crate) async fn forget(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    if standing(db).await?.version.is_some() {
        sqlx::raw_sql("COMMENT ON SCHEMA analytics IS NULL").execute(db).await?;
    }
    Ok(())
}

/// Makes the views within a transaction that shows tables, if there were any and others are due. As long as some of the
/// tables below are another release's, they have to wait.
pub(crate) async fn catch_up(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    let seen = standing(db).await?;
    if seen.version.is_none() || seen.version == Some(version()) || of_another_release(db).await? {
        return Ok(());
    }
    make_views(db).await?;
    if seen.role_exists {
        sqlx::raw_sql(GRANTS).execute(db).await?;
    }
    Ok(())
}

/// Whether readers see tables of another release.
async fn of_another_release(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let generations = generation::all(db).await?;
    Ok(generations
        .iter()
        .any(|standing| standing.serves() && standing.layout().is_none()))
}

/// Makes the views, and notes which they are.
async fn make_views(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(VIEWS).execute(&mut *db).await?;
    // The text of the comment is this crate's own.
    let note = format!("COMMENT ON SCHEMA analytics IS '{}'", version());
    sqlx::raw_sql(AssertSqlSafe(note)).execute(db).await?;
    Ok(())
}

async fn standing(db: &mut PgConnection) -> Result<Standing, sqlx::Error> {
    sqlx::query_as(
        "SELECT CASE WHEN to_regnamespace('analytics') IS NOT NULL
                     THEN COALESCE(obj_description(to_regnamespace('analytics'), 'pg_namespace'), '') END AS version,
                role.oid IS NOT NULL AS role_exists,
                COALESCE(has_schema_privilege(role.oid, to_regnamespace('analytics'), 'USAGE'), false) AS granted,
                me.rolsuper OR me.rolcreaterole AS may_make_roles
         FROM pg_roles me
         LEFT JOIN pg_roles role ON role.rolname = $1
         WHERE me.rolname = current_user",
    )
    .bind(ROLE)
    .fetch_one(db)
    .await
}

/// Makes the role. A desk in another database of the server may do so at the same moment.
async fn make_role(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "DO $$
         BEGIN
             CREATE ROLE recourse_analyst NOLOGIN;
             COMMENT ON ROLE recourse_analyst IS 'Reads the views of schema analytics.';
         EXCEPTION WHEN duplicate_object OR unique_violation THEN
             NULL;
         END
         $$",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is noted of the views, so that other ones are noticed.
fn version() -> String {
    let hash = wire::hash(VIEWS.as_bytes());
    let short = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("What analysts may rely on; see docs/analytics.md. Views {short:016x}.")
}
