//! The servers that tests get are real.

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use test_harness::{Nats, postgres, wait_until};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

async fn greeting(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut word = [0; 4];
    stream.read_exact(&mut word).await?;
    Ok(String::from_utf8_lossy(&word).into_owned())
}

#[tokio::test]
async fn a_killed_nats_server_is_gone_and_comes_back_on_its_port() {
    let nats = Nats::start().await;
    assert_eq!(greeting(nats.port()).await.unwrap(), "INFO");

    nats.kill().await;
    assert!(greeting(nats.port()).await.is_err());

    nats.restart().await;
    assert_eq!(greeting(nats.port()).await.unwrap(), "INFO");
}

#[tokio::test]
async fn a_nats_server_ends_with_its_value() {
    let nats = Nats::start().await;
    let process = format!("/proc/{}", nats.process_id());
    assert!(Path::new(&process).exists());
    drop(nats);
    wait_until("its end", Duration::from_secs(5), || async {
        !Path::new(&process).exists()
    })
    .await;
}

#[tokio::test]
async fn every_test_has_an_empty_database_of_its_own() {
    let (one, other) = (postgres().await.database().await, postgres().await.database().await);
    assert_ne!(one, other);
    for url in [one, other] {
        let mut database = PgConnectOptions::from_str(&url).unwrap().connect().await.unwrap();
        sqlx::query("CREATE TABLE mine (id bigint)")
            .execute(&mut database)
            .await
            .unwrap();
        let lower: String = sqlx::query_scalar("SELECT lower('ЁЖ')")
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(lower, "ёж", "letters beyond ASCII have no case in this locale");
    }
}
