//! A slice of a comparison: one program under the load of one case for a while.

use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::backend::Backend;
use super::case::Case;
use super::certificate::Certificate;
use super::cores::{self, Cores};
use super::error::Error;
use super::load::Load;
use super::proxy::{Program, Proxy};

/// How long there is load before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);

/// What a slice came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    /// What the proxy took, in microseconds of CPU time a request.
    pub(crate) cpu: f64,
    /// Requests a second.
    pub(crate) rate: f64,
}

// === impl Slice ===

impl Slice {
    /// Measures a program in a new process, with the load and the backend on the core of the caller.
    pub(crate) fn measure(
        program: &Program,
        case: Case,
        cores: Cores,
        certificate: &Certificate,
        time: Duration,
    ) -> Result<Self, Error> {
        let exchange = case.exchange();
        let backend = Backend::start(exchange.answer)?;
        // A process begins where the thread is that starts it, with all of its threads.
        let proxy = thread::scope(|scope| {
            let started = scope.spawn(|| {
                cores::stay_on(cores.proxy)?;
                Proxy::start(program, exchange, backend.address(), certificate)
            });
            started.join().expect("starting a program does not panic")
        })?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(Self::of_load(case, &proxy, certificate, time))
    }

    /// Counts from one moment to another while the clients go on.
    async fn of_load(
        case: Case,
        proxy: &Proxy,
        certificate: &Certificate,
        time: Duration,
    ) -> Result<Self, Error> {
        let name = proxy.name();
        let failed = |error| Error::Request { case: case.name(), name, error, said: proxy.said() };
        let mut load = Load::start(case.exchange(), proxy.address(), certificate);
        load.go_on(WARM_UP).await.map_err(failed)?;
        let process = proxy.process();
        let (begun, busy) = (Instant::now(), process.cpu());
        let requests = load.go_on(time).await.map_err(failed)?;
        let (took, busy) = (begun.elapsed(), process.cpu() - busy);
        if requests == 0 {
            return Err(Error::NoAnswer { case: case.name(), name, seconds: time.as_secs() });
        }
        let requests = requests as f64;
        Ok(Self { cpu: busy.as_secs_f64() * 1e6 / requests, rate: requests / took.as_secs_f64() })
    }
}
