//! The network met over real sockets: small servers that behave badly on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::bypasses::BYPASSES;
use super::{HostRule, HttpNetwork, Rules};
use crate::contract::{Body, Call, Line, Method, Network, Request, Response, Wire};
use crate::domain::clock::{Clock, Pace};
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

/// A server that does one thing to every connection.
struct Server {
    address: SocketAddr,
    met: Arc<AtomicUsize>,
}

impl Server {
    fn start(serve: impl Fn(&mut TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let met = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&met);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let request = read_request(&mut stream);
                serve(&mut stream, &request);
            }
        });
        Self { address, met }
    }

    fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        // A client that has read enough hangs up; that is no failure of the test.
        Self::start(move |stream, _| drop(stream.write_all(&answer)))
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&block[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn network(rules: Rules) -> HttpNetwork {
    HttpNetwork::new(rules, Clock::system(), Pace::default()).unwrap()
}

fn open() -> HttpNetwork {
    network(Rules {
        allow_private_targets: true,
        ..Rules::default()
    })
}

fn strict() -> Rules {
    Rules {
        allowed_hosts: vec![HostRule::https("vendor.example")],
        ..Rules::default()
    }
}

fn wire(network: &HttpNetwork, address: &str) -> Arc<dyn Wire> {
    network.wire(&Line {
        name: "test".to_owned(),
        addresses: vec![address.to_owned()],
        requests_per_minute: 0,
        allowance: |_, _| None,
        interactive: false,
    })
}

fn request(call: Call, address: &str) -> Request {
    Request {
        method: if call == Call::Read {
            Method::Get
        } else {
            Method::Post
        },
        url: address.parse().unwrap(),
        headers: Vec::new(),
        bearer: Some(Secret::new("canary".to_owned())),
        body: if call == Call::Read {
            Body::None
        } else {
            Body::Json(json!({"a": 1}))
        },
        call,
        timeout: Duration::from_secs(5),
        operation: "test".to_owned(),
        private: false,
    }
}

async fn send(call: Call, address: &str) -> Result<Response, Fault> {
    wire(&open(), address).send(request(call, address)).await
}

/// Class and code of a read and of a write that meet the same server.
async fn both(server: &Server) -> [(String, String); 2] {
    let mut seen = Vec::new();
    for call in [Call::Read, Call::Write] {
        let fault = send(call, &server.url()).await.unwrap_err();
        seen.push((fault.class().to_owned(), fault.code().to_owned()));
    }
    seen.try_into().unwrap()
}

fn pairs(read: (&str, &str), write: (&str, &str)) -> [(String, String); 2] {
    [read, write].map(|(class, code)| (class.to_owned(), code.to_owned()))
}

#[test]
fn no_bypass_passes_and_all_are_refused_in_the_same_words() {
    assert!(BYPASSES.len() >= 200);
    let rules = strict();
    let refusal = rules.refusal();
    for address in BYPASSES {
        assert_eq!(rules.check(address).unwrap_err(), refusal, "{address}");
    }
    let long = format!("https://api.vendor.example/{}", "a".repeat(2048));
    assert_eq!(rules.check(&long).unwrap_err(), refusal);
}

#[tokio::test]
async fn what_the_parser_makes_of_a_bypass_is_sent_nowhere_else() {
    let network = network(strict());
    let wire = wire(&network, "https://api.vendor.example/");
    let own = "https://api.vendor.example"
        .parse::<url::Url>()
        .unwrap()
        .origin();
    for address in BYPASSES {
        let Ok(url) = address.parse::<url::Url>() else {
            continue;
        };
        if url.origin() == own && url.username().is_empty() && url.password().is_none() {
            continue;
        }
        let request = Request {
            url,
            ..request(Call::Write, "https://api.vendor.example/")
        };
        let fault = wire.send(request).await.unwrap_err();
        assert_eq!(fault, network_refusal(), "{address}");
    }
}

fn network_refusal() -> Fault {
    strict().refused()
}

#[test]
fn honest_addresses_pass() {
    let rules = Rules {
        allowed_hosts: vec![
            HostRule::https("vendor.example"),
            HostRule {
                suffix: "erp.other.example".to_owned(),
                port: 7443,
            },
            HostRule::https("8.8.4.4"),
            HostRule::https("10.0.0.7"),
        ],
        ..Rules::default()
    };
    for address in [
        "https://vendor.example",
        "https://vendor.example/",
        " https://api.vendor.example:443/TENANT_TST/as/ ",
        "HTTPS://Api.Vendor.Example/rest",
        "https://erp.other.example:7443/x",
        "https://8.8.4.4/",
    ] {
        assert!(rules.check(address).is_ok(), "{address}");
    }
    for address in [
        "https://erp.other.example/",
        "https://vendor.example:7443/",
        "https://10.0.0.7/",
    ] {
        assert!(rules.check(address).is_err(), "{address}");
    }
}

#[test]
fn a_closed_network_lifts_the_rules_except_for_metadata() {
    let rules = Rules {
        allow_private_targets: true,
        ..Rules::default()
    };
    for address in [
        "http://127.0.0.1:8081",
        "http://localhost:8081/",
        "http://[::1]:9000/",
        "https://erp.corp.example:7443/",
        "https://10.1.2.3/",
    ] {
        assert!(rules.check(address).is_ok(), "{address}");
    }
    for address in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
    ] {
        assert!(rules.check(address).is_err(), "{address}");
    }
    let demo = Rules {
        loopback_ports: vec![8081],
        ..strict()
    };
    assert!(demo.check("http://127.0.0.1:8081/rest").is_ok());
    for address in [
        "http://127.0.0.1:8082/",
        "https://127.0.0.1:8081/",
        "http://localhost:8081/",
        "http://10.0.0.1:8081/",
    ] {
        assert!(demo.check(address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_never_dialled() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let rules = Rules {
        allowed_hosts: vec![HostRule {
            suffix: "localhost".to_owned(),
            port: server.address.port(),
        }],
        ..Rules::default()
    };
    let address = format!("https://localhost:{}/", server.address.port());
    let network = network(rules.clone());
    let fault = wire(&network, &address)
        .send(request(Call::Read, &address))
        .await
        .unwrap_err();
    assert_eq!(fault, rules.refused());
    assert_eq!(network.reach(&address).await.unwrap_err(), rules.refused());
    assert_eq!(server.met(), 0);
}

#[tokio::test]
async fn a_line_reaches_its_own_addresses_only() {
    let (own, other) = (
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-A: b\r\n\r\n{}"),
        Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    );
    let wire = wire(&open(), &own.url());
    let fault = wire
        .send(request(Call::Read, &other.url()))
        .await
        .unwrap_err();
    assert_eq!(fault.code(), "address_refused");
    assert_eq!(other.met(), 0);
    let answer = wire.send(request(Call::Read, &own.url())).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("x-a"), answer.body.as_slice()),
        (200, Some("b"), b"{}".as_slice())
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let server = Server::answering(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        elsewhere.url()
    ));
    assert_eq!(send(Call::Read, &server.url()).await.unwrap().status, 302);
    assert_eq!(elsewhere.met(), 0);
}

#[tokio::test]
async fn a_request_carries_what_it_says_once() {
    let server = Server::start(|stream, request| {
        let head = request.to_ascii_lowercase();
        for line in [
            "post / http/1.1",
            "accept-encoding: gzip\r\n",
            "authorization: bearer canary",
            "x-own: 7",
        ] {
            assert!(head.contains(line), "{line} in {head}");
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    });
    let wire = wire(&open(), &server.url());
    let with_header = |value: &str| Request {
        headers: vec![("X-Own", value.to_owned())],
        ..request(Call::Write, &server.url())
    };
    assert_eq!(wire.send(with_header("7")).await.unwrap().status, 200);
    let fault = wire.send(with_header("7\r\nX-Evil: 1")).await.unwrap_err();
    assert_eq!(
        (fault.class(), fault.code()),
        ("rejected", "request_invalid")
    );
    assert_eq!(server.met(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_unknown_for_a_write_only_once_it_was_open() {
    let reset = Server::start(|_, _| {});
    assert_eq!(
        both(&reset).await,
        pairs(
            ("transient", "connection_lost"),
            ("ambiguous", "connection_lost")
        )
    );
    assert_eq!(reset.met(), 2, "nothing is sent twice");

    let cut = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":");
    assert_eq!(
        both(&cut).await,
        pairs(
            ("transient", "connection_lost"),
            ("ambiguous", "connection_lost")
        )
    );

    let garbage = Server::answering("hello?\r\n\r\n");
    assert_eq!(
        both(&garbage).await,
        pairs(
            ("transient", "connection_lost"),
            ("ambiguous", "connection_lost")
        )
    );

    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for call in [Call::Read, Call::Write] {
        let fault = send(call, &format!("http://{closed}/")).await.unwrap_err();
        assert_eq!((fault.class(), fault.code()), ("transient", "unreachable"));
    }
    let fault = send(Call::Write, "http://nowhere.invalid/")
        .await
        .unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("transient", "dns"));
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_deadline() {
    let drip = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let started = Instant::now();
    for (call, class) in [(Call::Read, "transient"), (Call::Write, "ambiguous")] {
        let hasty = Request {
            timeout: Duration::from_millis(300),
            ..request(call, &drip.url())
        };
        let fault = wire(&open(), &drip.url()).send(hasty).await.unwrap_err();
        assert_eq!((fault.class(), fault.code()), (class, "timeout"));
    }
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn large_endless_and_exploding_answers_are_cut_off() {
    let announced = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n");
    assert_eq!(
        both(&announced).await,
        pairs(
            ("broken", "answer_too_large"),
            ("ambiguous", "answer_too_large")
        )
    );

    let endless = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        let block = vec![b' '; 64 * 1024];
        while stream.write_all(&block).is_ok() {}
    });
    assert_eq!(
        both(&endless).await,
        pairs(
            ("broken", "answer_too_large"),
            ("ambiguous", "answer_too_large")
        )
    );

    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    let packed = packer.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    let bomb = Server::answering([head.as_bytes(), &packed].concat());
    assert_eq!(
        both(&bomb).await,
        pairs(
            ("broken", "answer_too_large"),
            ("ambiguous", "answer_too_large")
        )
    );

    let strange =
        Server::answering("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nxx");
    assert_eq!(
        both(&strange).await,
        pairs(
            ("broken", "answer_unreadable"),
            ("ambiguous", "answer_unreadable")
        )
    );
}

#[tokio::test]
async fn a_packed_answer_is_unpacked() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(b"{\"a\":1}").unwrap();
    let packed = packer.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    );
    let server = Server::answering([head.as_bytes(), &packed].concat());
    assert_eq!(
        send(Call::Read, &server.url()).await.unwrap().body,
        b"{\"a\":1}"
    );
}

#[tokio::test]
async fn a_refusal_slows_the_whole_line_without_a_packet() {
    let server = Server::answering(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n",
    );
    let network = open();
    let first = wire(&network, &server.url());
    assert_eq!(
        first
            .send(request(Call::Read, &server.url()))
            .await
            .unwrap()
            .status,
        429
    );
    let fault = wire(&network, &server.url())
        .send(request(Call::Write, &server.url()))
        .await
        .unwrap_err();
    let Fault::RateLimited { retry_after, .. } = fault else {
        panic!("{fault:?}")
    };
    assert!(retry_after > Duration::from_secs(28) && retry_after <= Duration::from_secs(30));
    assert_eq!(server.met(), 1);
}

#[tokio::test]
async fn a_host_is_reached_step_by_step() {
    let plain = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let network = open();
    let reached = network.reach(&plain.url()).await.unwrap();
    assert!(reached.secured_in.is_none());

    let greeter = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = format!("https://{}/", greeter.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in greeter.incoming() {
            let _ = stream.unwrap().write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    assert_eq!(network.reach(&no_tls).await.unwrap_err().code(), "tls");
    let sent = wire(&network, &no_tls)
        .send(request(Call::Write, &no_tls))
        .await
        .unwrap_err();
    assert_eq!((sent.class(), sent.code()), ("transient", "tls"));

    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        network
            .reach(&format!("http://{closed}/"))
            .await
            .unwrap_err()
            .code(),
        "unreachable"
    );
    assert_eq!(
        network
            .reach("http://nowhere.invalid/")
            .await
            .unwrap_err()
            .code(),
        "dns"
    );
    assert_eq!(
        network
            .reach("http://169.254.169.254/")
            .await
            .unwrap_err()
            .code(),
        "address_refused"
    );
}
