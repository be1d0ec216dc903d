//! The admin port, as curl sees it.

use std::net::SocketAddr;

use oms_seams::Seams;
use oms_service::{Admin, Host, Process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{PATIENCE, Served, eventually, order, soon};

struct Page {
    head: String,
    body: String,
}

impl Page {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

async fn get(address: SocketAddr, path: &str, headers: &str) -> Page {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Page { head: head.to_lowercase(), body: body.to_owned() }
}

async fn admin(process: &Process) -> Admin {
    Admin::serve(process, "test.admin.listen", "localhost:0").await.unwrap()
}

#[tokio::test]
async fn readiness_names_every_component_of_every_service() {
    let process = Process::new();
    let admin = admin(&process).await;
    let nobody = get(admin.address(), "/readyz", "").await;
    assert_eq!(nobody.status(), "503", "a process without services is not ready");

    let order = Host::new("order", Seams::system(), process.clone());
    let payment = Host::new("payment", Seams::system(), process.clone());
    let database = order.health().component("database");
    payment.ready(PATIENCE).await.unwrap();
    let page = get(admin.address(), "/readyz", "").await;
    assert_eq!(page.status(), "503");
    assert_eq!(
        page.body,
        "not ready\norder.database: down: starting\norder.start: down: starting\n\
         payment.start: up\n"
    );

    database.up();
    order.ready(PATIENCE).await.unwrap();
    let page = get(admin.address(), "/readyz", "").await;
    assert_eq!(page.status(), "200");
    assert_eq!(page.body, "ready\norder.database: up\norder.start: up\npayment.start: up\n");

    order.drain(PATIENCE).await;
    let page = get(admin.address(), "/readyz", "").await;
    assert_eq!(page.status(), "503");
    assert!(page.body.contains("order: draining\n"), "{}", page.body);
    assert_eq!(get(admin.address(), "/livez", "").await.status(), "200");
}

#[tokio::test]
async fn probes_hear_that_no_calls_are_taken_while_those_under_way_are_answered() {
    let served = Served::ready().await;
    let admin = admin(served.host.process()).await;
    let probe = async || get(admin.address(), "/readyz/calls", "").await.status().to_owned();
    assert_eq!(probe().await, "200");
    let mut client = served.client().await;
    let call = tokio::task::spawn(async move { client.get_payment(order("wait")).await });
    served.signals.started.notified().await;
    let host = served.host.clone();
    let drain = tokio::task::spawn(async move { host.drain(PATIENCE).await });
    eventually("no calls are taken", async || probe().await == "503").await;
    assert!(!call.is_finished() && !drain.is_finished(), "the call is under way");
    assert_eq!(get(admin.address(), "/livez", "").await.status(), "200");
    served.signals.release.notify_one();
    soon("the answer", call).await.unwrap().unwrap();
    soon("the drain", drain).await.unwrap();
}

#[tokio::test]
async fn a_broker_that_is_away_takes_no_calls_away_and_a_database_does() {
    let served = Served::start().await;
    let health = served.host.health();
    let (database, broker) = (health.component("database"), health.component("broker"));
    let admin = admin(served.host.process()).await;
    let probes = async || {
        let calls = get(admin.address(), "/readyz/calls", "").await.status().to_owned();
        (calls, get(admin.address(), "/readyz", "").await.status().to_owned())
    };
    let said = |calls: &str, all: &str| (calls.to_owned(), all.to_owned());
    database.up();
    assert_eq!(probes().await, said("503", "503"), "it was never ready");
    broker.up();
    served.host.ready(PATIENCE).await.unwrap();
    assert_eq!(probes().await, said("200", "200"));
    broker.down("away");
    assert_eq!(probes().await, said("200", "503"));
    database.down("away");
    assert_eq!(probes().await, said("503", "503"));
    database.up();
    assert_eq!(probes().await, said("200", "503"));
}

#[tokio::test]
async fn a_service_started_again_takes_its_own_place() {
    let process = Process::new();
    let admin = admin(&process).await;
    Host::new("order", Seams::system(), process.clone()).kill();
    assert_eq!(get(admin.address(), "/readyz", "").await.status(), "503");
    let again = Host::new("order", Seams::system(), process.clone());
    again.ready(PATIENCE).await.unwrap();
    assert_eq!(get(admin.address(), "/readyz", "").await.status(), "200");
}

#[tokio::test]
async fn metrics_say_what_they_are_to_who_asks() {
    let process = Process::new();
    let admin = admin(&process).await;
    let asked = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain\r\n";
    let page = get(admin.address(), "/metrics", asked).await;
    assert!(
        page.head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{}",
        page.head
    );
    assert!(page.body.ends_with("# EOF\n"), "{}", page.body);
    let page = get(admin.address(), "/metrics", "").await;
    assert!(page.head.contains("content-type: text/plain; version=0.0.4"), "{}", page.head);
}

#[tokio::test]
async fn the_landing_page_links_to_the_rest() {
    let process = Process::new();
    let _host = Host::new("order", Seams::system(), process.clone());
    let admin = admin(&process).await;
    let page = get(admin.address(), "/", "").await;
    assert_eq!(page.status(), "200");
    assert!(page.head.contains("content-type: text/html"), "{}", page.head);
    for part in ["order", "href=\"/metrics\"", "href=\"/readyz\"", "href=\"/livez\""] {
        assert!(page.body.contains(part), "{part}");
    }
    assert_eq!(get(admin.address(), "/nothing", "").await.status(), "404");
}

#[tokio::test]
async fn the_admin_port_is_free_once_it_is_dropped() {
    let process = Process::new();
    let admin = admin(&process).await;
    let address = admin.address();
    drop(admin);
    eventually("free", async || TcpListener::bind(address).await.is_ok()).await;
    assert!(process.failed().reason().is_none());
}
