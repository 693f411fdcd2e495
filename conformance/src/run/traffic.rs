//! The steps that send something.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::case::{
    BytesConnection, BytesStep, Client, DistributionStep, GrpcExchange, GrpcStep, HttpExchange, HttpRequest,
    HttpStep, MeshStep, MirrorShareStep, Name, Target, TcpStep, UdpStep, WebSocketStep, bytes_of_text,
};
use crate::engine::{Engine, Pace};
use crate::exchange::{Answer, Exchange, HttpAnswer, Pod};
use crate::expect::{self, Meeting, Mismatch, Spread};

use super::clients::Going;
use super::placeholder::{with_id, with_this_id};
use super::sent;
use super::stage::{Problem, Stage, Stop};

/// A refusal that must come this often in a row, so that it is no accident of the start.
const REFUSALS: u32 = 5;

/// Copies have arrived when none came for this long.
const QUIET: Duration = Duration::from_millis(500);

impl<E: Engine> Stage<'_, E> {
    pub(super) async fn http(&mut self, step: &HttpStep) -> Result<(), Stop> {
        let place = self.place.get();
        for (index, exchange) in step.requests.iter().enumerate() {
            self.place.set(format!("{place}.requests[{index}]"));
            let refusals = if exchange.expect.failure { REFUSALS } else { 0 };
            let mut patience = self.patience(self.settings.consistency).at_least(refusals);
            let before = exchange.client.as_ref().map(|client| (client, self.clients.memory(client)));
            loop {
                if let Some((client, memory)) = before.clone() {
                    self.clients.remember(client, memory);
                }
                let problem = self.http_times(&step.target, exchange).await?;
                if self.is_over(&mut patience, problem, exchange.times).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends a request as often as it says.
    async fn http_times(
        &mut self,
        target: &Target,
        exchange: &HttpExchange,
    ) -> Result<Option<Problem>, Stop> {
        for _ in 0..exchange.times {
            let problem = self.http_once(target, &with_id(exchange)).await?;
            if problem.is_some() {
                return Ok(problem);
            }
        }
        Ok(None)
    }

    async fn http_once(&mut self, target: &Target, exchange: &HttpExchange) -> Result<Option<Problem>, Stop> {
        let path = &exchange.request.path;
        let (copied, not_copied) = (&exchange.expect.mirrors, &exchange.expect.no_mirrors);
        let mut before = Vec::new();
        for backend in copied.iter().chain(not_copied) {
            before.push(self.received(&backend.0, path).await?);
        }
        let mut sent = exchange.request.clone();
        if let Some(client) = &exchange.client {
            let going = Going { path: &exchange.request.path, secure: sent.tls.is_some() };
            self.clients.memory(client).send(going, &mut sent.headers);
        }
        let request = Exchange::Http(target.clone(), sent);
        let answer = self.engine.send(&request).await?;
        let mut mismatches = self.compare(target, exchange, &answer);
        mismatches.extend(self.remember(exchange.client.as_ref(), exchange.expect.same_pod, &answer));
        if mismatches.is_empty() {
            let (for_copied, for_others) = before.split_at(copied.len());
            for (backend, before) in copied.iter().zip(for_copied) {
                if !self.copy_arrives(backend, path, *before).await? {
                    mismatches.push(Mismatch::new(format!("copies at {backend}"), "one", "none"));
                }
            }
            for (backend, before) in not_copied.iter().zip(for_others) {
                let copies = self.received(&backend.0, path).await?.saturating_sub(*before);
                if copies > 0 {
                    mismatches.push(Mismatch::new(format!("copies at {backend}"), "none", copies));
                }
            }
        }
        Ok(self.problem(&request, mismatches))
    }

    /// Lets the client remember what the answer says. Gives what is wrong when the same pod should have answered again.
    fn remember(&mut self, client: Option<&Client>, same_pod: bool, answer: &Answer) -> Option<Mismatch> {
        let client = client?;
        let headers = match answer {
            Answer::Http(answer) => &answer.headers[..],
            Answer::Grpc(answer) => &answer.headers[..],
            _ => &[],
        };
        let mut memory = self.clients.memory(client);
        let mismatch = if same_pod { memory.compare(pod(answer)) } else { None };
        memory.take(client, headers, pod(answer));
        self.clients.remember(client, memory);
        mismatch
    }

    fn compare(&self, target: &Target, exchange: &HttpExchange, answer: &Answer) -> Vec<Mismatch> {
        let meeting = Meeting { port: self.port(target), certificate: &|secret| self.certificate(secret) };
        expect::http(exchange, &meeting, answer)
    }

    async fn copy_arrives(&mut self, backend: &Name, path: &str, before: usize) -> Result<bool, Stop> {
        let started = Instant::now();
        loop {
            if self.received(&backend.0, path).await? > before {
                return Ok(true);
            }
            if self.abilities.pace == Pace::Immediate || started.elapsed() >= self.settings.mirror {
                return Ok(false);
            }
            sleep(self.settings.poll).await;
        }
    }

    pub(super) async fn mesh(&mut self, step: &MeshStep) -> Result<(), Stop> {
        let place = self.place.get();
        for (index, exchange) in step.requests.iter().enumerate() {
            self.place.set(format!("{place}.requests[{index}]"));
            let exchange = with_id(exchange);
            let request = Exchange::Mesh(step.way.clone(), exchange.request.clone());
            self.exchange(&request, exchange.times, |answer| expect::mesh(&exchange, answer)).await?;
        }
        Ok(())
    }

    pub(super) async fn grpc(&mut self, step: &GrpcStep) -> Result<(), Stop> {
        let place = self.place.get();
        for (index, call) in step.calls.iter().enumerate() {
            self.place.set(format!("{place}.calls[{index}]"));
            let before = call.client.as_ref().map(|client| (client, self.clients.memory(client)));
            let mut patience = self.patience(self.settings.consistency);
            loop {
                if let Some((client, memory)) = before.clone() {
                    self.clients.remember(client, memory);
                }
                let problem = self.grpc_times(&step.target, call).await?;
                if self.is_over(&mut patience, problem, call.times).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Makes a call as often as it says.
    async fn grpc_times(&mut self, target: &Target, call: &GrpcExchange) -> Result<Option<Problem>, Stop> {
        for _ in 0..call.times {
            let mut made = call.call.clone();
            if let Some(client) = &call.client {
                let path = format!("/{}/{}", made.service, made.method);
                let going = Going { path: &path, secure: made.tls.is_some() };
                self.clients.memory(client).send(going, &mut made.headers);
            }
            let request = Exchange::Grpc(target.clone(), made);
            let answer = self.engine.send(&request).await?;
            let mut mismatches = expect::grpc(call, &answer);
            mismatches.extend(self.remember(call.client.as_ref(), call.expect.same_pod, &answer));
            let problem = self.problem(&request, mismatches);
            if problem.is_some() {
                return Ok(problem);
            }
        }
        Ok(None)
    }

    pub(super) async fn websocket(&mut self, step: &WebSocketStep) -> Result<(), Stop> {
        let request = Exchange::WebSocket(step.target.clone(), step.say.clone());
        self.exchange(&request, 1, |answer| expect::websocket(&step.say, answer)).await
    }

    pub(super) async fn tcp(&mut self, step: &TcpStep) -> Result<(), Stop> {
        let request = Exchange::Tcp(step.target.clone(), step.tls.clone());
        self.exchange(&request, step.times, |answer| expect::tcp(&step.expect, answer)).await
    }

    pub(super) async fn udp(&mut self, step: &UdpStep) -> Result<(), Stop> {
        let request = Exchange::Udp(step.target.clone());
        self.exchange(&request, step.times, |answer| expect::udp(&step.expect, answer)).await
    }

    pub(super) async fn bytes(&mut self, step: &BytesStep) -> Result<(), Stop> {
        let place = self.place.get();
        for (index, BytesConnection { send, expect }) in step.connections.iter().enumerate() {
            self.place.set(format!("{place}.connections[{index}]"));
            let bytes = bytes_of_text(send).expect("the reader makes sure that each character is a byte");
            let request = Exchange::Bytes(step.target.clone(), step.tls.clone(), bytes);
            self.exchange(&request, 1, |answer| expect::bytes(expect, answer)).await?;
        }
        Ok(())
    }

    /// Sends something this many times, until every answer is good.
    async fn exchange(
        &mut self,
        request: &Exchange,
        times: u32,
        compare: impl Fn(&Answer) -> Vec<Mismatch> + Send + Sync,
    ) -> Result<(), Stop> {
        let mut patience = self.patience(self.settings.consistency);
        loop {
            let mut problem = None;
            for _ in 0..times {
                let answer = self.engine.send(request).await?;
                problem = self.problem(request, compare(&answer));
                if problem.is_some() {
                    break;
                }
            }
            if self.is_over(&mut patience, problem, times).await? {
                return Ok(());
            }
        }
    }

    /// Samples in rounds, until one of them is good. A round that a failure spoils does not count while there is time.
    pub(super) async fn distribution(&mut self, step: &DistributionStep) -> Result<(), Stop> {
        let started = Instant::now();
        let (mut rounds, mut tries) = (0, 0);
        loop {
            tries += 1;
            let problem = match self.round(step).await? {
                Ok(spread) => {
                    rounds += 1;
                    Problem::of(
                        format!("{} times {}", step.samples, self.sample(step)),
                        expect::spread(step, &spread),
                    )
                }
                Err(problem) => {
                    let waits = self.abilities.pace == Pace::Eventual;
                    if !waits || started.elapsed() >= self.settings.consistency {
                        rounds = step.rounds;
                    }
                    Some(problem)
                }
            };
            let Some(problem) = problem else { return Ok(()) };
            if rounds >= step.rounds {
                return Err(problem.into_stop(format!("{tries} rounds")));
            }
            self.pause().await;
        }
    }

    /// A round, or what spoils it.
    async fn round(&mut self, step: &DistributionStep) -> Result<Result<Spread, Problem>, Stop> {
        let mut spread = Spread::default();
        for _ in 0..step.samples {
            let request = self.sample_exchange(step);
            let answer = self.engine.send(&request).await?;
            if let Answer::Http(HttpAnswer { status, .. }) = &answer
                && spread.count_status(step, *status)
            {
                continue;
            }
            let mut mismatches = self.compare_sample(step, &answer);
            if mismatches.is_empty() {
                let counted = match pod(&answer) {
                    Some(pod) => spread.count(step, pod),
                    None => {
                        Err(Mismatch::new("backend", "one that answers", "an answer that no backend made"))
                    }
                };
                mismatches.extend(counted.err());
            }
            if let Some(problem) = self.problem(&request, mismatches) {
                return Ok(Err(problem));
            }
        }
        Ok(Ok(spread))
    }

    fn sample(&self, step: &DistributionStep) -> String {
        sent(&self.sample_exchange(step))
    }

    fn sample_exchange(&self, step: &DistributionStep) -> Exchange {
        let sample = &step.of;
        if let Some(http) = &sample.http {
            return Exchange::Http(http.to.clone(), with_id(&http.request).request);
        }
        if let Some(grpc) = &sample.grpc {
            return Exchange::Grpc(grpc.to.clone(), grpc.call.call.clone());
        }
        if let Some(tcp) = &sample.tcp {
            return Exchange::Tcp(tcp.clone(), None);
        }
        if let Some(udp) = &sample.udp {
            return Exchange::Udp(udp.clone());
        }
        let way = sample.mesh.clone().expect("the reader makes sure that a sample is one of the five");
        Exchange::Mesh(way, HttpRequest::default())
    }

    fn compare_sample(&self, step: &DistributionStep, answer: &Answer) -> Vec<Mismatch> {
        let sample = &step.of;
        match (&sample.http, &sample.grpc, answer) {
            (Some(http), _, Answer::Http(got)) => {
                let mut exchange = http.request.clone();
                // The path has an id that is gone; it is looked at where paths matter.
                if let Some(echo) = &got.echo {
                    exchange.request.path.clone_from(&echo.path);
                }
                self.compare(&http.to, &exchange, answer)
            }
            (Some(http), _, answer) => self.compare(&http.to, &http.request, answer),
            (None, Some(grpc), answer) => expect::grpc(&grpc.call, answer),
            (None, None, Answer::Tcp(_) | Answer::Udp(_)) => Vec::new(),
            (None, None, answer) => expect::mesh(&HttpExchange::default(), answer),
        }
    }

    pub(super) async fn mirror_share(&mut self, step: &MirrorShareStep) -> Result<(), Stop> {
        let mut rounds = 0;
        let started = Instant::now();
        loop {
            let exchange = with_this_id(&step.request, &format!("{:016x}", fastrand::u64(..)));
            let request = Exchange::Http(step.to.clone(), exchange.request.clone());
            let path = &exchange.request.path;
            let before = self.received(&step.mirror.0, path).await?;
            let mut problem = None;
            for _ in 0..step.samples {
                let answer = self.engine.send(&request).await?;
                problem = self.problem(&request, self.compare(&step.to, &exchange, &answer));
                if problem.is_some() {
                    break;
                }
            }
            match problem {
                None => {
                    rounds += 1;
                    let copies = self.settled(&step.mirror, path).await?.saturating_sub(before);
                    let sent = format!("{} times {}", step.samples, sent(&request));
                    problem = Problem::of(sent, expect::mirrored(step, copies));
                }
                Some(_) if self.abilities.pace == Pace::Immediate => rounds = step.rounds,
                Some(_) if started.elapsed() >= self.settings.consistency => rounds = step.rounds,
                Some(_) => {}
            }
            let Some(problem) = problem else { return Ok(()) };
            if rounds >= step.rounds {
                return Err(problem.into_stop(format!("{rounds} rounds")));
            }
            self.pause().await;
        }
    }

    /// How many copies there are when no more arrive.
    async fn settled(&mut self, backend: &Name, path: &str) -> Result<usize, Stop> {
        let mut copies = self.received(&backend.0, path).await?;
        if self.abilities.pace == Pace::Immediate {
            return Ok(copies);
        }
        loop {
            sleep(QUIET).await;
            let now = self.received(&backend.0, path).await?;
            if now == copies {
                return Ok(now);
            }
            copies = now;
        }
    }

    async fn pause(&self) {
        if self.abilities.pace == Pace::Eventual {
            sleep(self.settings.poll).await;
        }
    }

    fn problem(&self, request: &Exchange, mismatches: Vec<Mismatch>) -> Option<Problem> {
        let mut problem = Problem::of(sent(request), mismatches)?;
        problem.explanation = self.engine.explain(request);
        Some(problem)
    }
}

/// Who answered.
fn pod(answer: &Answer) -> Option<&Pod> {
    match answer {
        Answer::Http(http) => http.echo.as_ref().map(|echo| &echo.pod),
        Answer::Grpc(grpc) => grpc.echo.as_ref().map(|echo| &echo.pod),
        Answer::Tcp(tcp) => Some(&tcp.pod),
        Answer::Udp(pod) => Some(pod),
        Answer::WebSocket(_) | Answer::Bytes(_) | Answer::Failed(_) => None,
    }
}
