//! An API server that takes requests and never answers, as one looks whose connection is gone without a word.

use std::time::Duration;

use gateway_core::infrastructure::{GatewayPort, GatewayService};
use gateway_core::manifest;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::table::Transport;
use gateway_core::translate::translate;
use gateway_kube::infrastructure::{Maker, Owner, parts_to_make};
use gateway_kube::status::{Writer, WriterOptions};
use gateway_kube::store::Store;
use gateway_kube::watch::{Change, Part};
use gateway_kube::{Error, Object, Stored, StoredStatus};
use kube::{Client, Config};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A client of a server that is silent, and the requests that come there.
struct Silent {
    client: Client,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut first = String::new();
                stream.read_line(&mut first).await.unwrap();
                sender.send(first).unwrap();
                open.push(stream);
            }
        });
        Self { client: Client::try_from(Config::new(uri)).unwrap(), requests }
    }

    /// Checks that a request came, and was given up after this long.
    fn gave_up<T>(&mut self, result: Result<T, Error>, request: &str, doing: &str, after: Duration) {
        let came = self.requests.try_recv().expect("it came");
        assert!(came.starts_with(request), "{came}");
        let error = result.err().expect("it is given up");
        let said = "it may have done it, and can be asked again";
        assert_eq!(
            error.to_string(),
            format!("{doing}: the API server has not answered after {after:?}; {said}")
        );
    }
}

/// What is given, or a failure instead of a test that hangs. The clock goes on as soon as nothing else does.
async fn ends<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(3600), what).await.expect("it is given up")
}

/// A store with a GatewayClass whose status was never written.
fn store() -> Store {
    let text = "{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: web}, \
                spec: {controllerName: gateway-api.rs/controller}}";
    let (object, _) = manifest::read(text, "class.yaml").objects.into_iter().next().unwrap();
    let kind = object.kind();
    let stored = Stored {
        version: "v1",
        resource_version: "1".to_owned(),
        uid: "u".to_owned(),
        generation: None,
        finalizers: Vec::new(),
        is_deleted: false,
        status: StoredStatus::GatewayClass(Default::default()),
    };
    let mut store = Store::default();
    store.apply(&Part::All, Change::Applied { kind, object: Ok(Object { object, stored }) });
    store
}

#[tokio::test(start_paused = true)]
async fn the_write_of_a_status_is_given_up() {
    let store = store();
    let statuses = translate(store.resources(), &Options::default()).statuses;
    let key = ObjectName::cluster("web");
    let seconds = Duration::from_secs;
    for (options, after) in [
        (WriterOptions::default(), seconds(30)),
        (WriterOptions { answer_timeout: seconds(2), ..WriterOptions::default() }, seconds(2)),
    ] {
        let mut silent = Silent::start().await;
        let writer = Writer::new(silent.client.clone(), options);
        let mut results = ends(writer.write_all(&store, &statuses)).await;
        assert_eq!(results.len(), 1);
        let path = "PATCH /apis/gateway.networking.k8s.io/v1/gatewayclasses/web";
        let status = format!("{path}/status?");
        silent.gave_up(results.remove(0), &status, "writing the status of GatewayClass web", after);

        let stored = store.stored(gateway_core::api::Kind::GatewayClass, &key).unwrap().clone();
        let held = ends(writer.hold_class(&key, stored, true)).await;
        silent.gave_up(held, &format!("{path}?"), "setting the finalizers of GatewayClass web", after);
    }
}

// GWA-08
#[tokio::test(start_paused = true)]
async fn the_making_of_a_service_is_given_up() {
    let owner = Owner { name: ObjectName::new("shop", "web"), uid: "u".to_owned() };
    let wanted = GatewayService {
        name: ObjectName::new("shop", "web-example"),
        ports: [GatewayPort { port: 80, transport: Transport::Tcp }].into(),
        addresses: vec![[192, 0, 2, 1].into()],
        ..GatewayService::default()
    };
    let parts = parts_to_make(&wanted, store().resources());
    let new = |client| Maker::new(client, "example.com/gateway");
    let of_two_seconds = |client| new(client).answer_timeout(Duration::from_secs(2));
    for (maker, after) in [(&new as &dyn Fn(Client) -> Maker, 30), (&of_two_seconds, 2)] {
        let mut silent = Silent::start().await;
        let made = ends(maker(silent.client.clone()).make(&owner, &wanted, &parts)).await;
        silent.gave_up(
            made,
            "GET /api/v1/namespaces/shop/services/web-example",
            "making Service shop/web-example of Gateway shop/web",
            Duration::from_secs(after),
        );
    }
}
