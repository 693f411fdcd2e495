//! Requests within a mesh.

use http::{Request, Response};

use super::forward::forward;
use super::grpc::end_of_call;
use super::{Decider, Pure};
use crate::backend::read_echo;
use crate::case::{ECHO_SERVICE, GrpcCall, HttpRequest, MeshProtocol, Way};
use crate::engine::arrival::{self, http_answer};
use crate::engine::{Effect, EngineError, MeshArrival, Reply, headers};
use crate::exchange::{Answer, Echo, Failure, GrpcAnswer, GrpcEcho, HttpAnswer};

impl<D: Decider> Pure<D> {
    pub(super) fn mesh(&mut self, way: &Way, request: &HttpRequest) -> Result<Answer, EngineError> {
        let host = request.host.clone().unwrap_or_else(|| host(way));
        let request = match way.speak {
            MeshProtocol::Http => arrival::head(request, &host)?,
            MeshProtocol::Grpc => {
                let (service, method) = (ECHO_SERVICE.to_owned(), "Echo".to_owned());
                let headers = request.headers.clone();
                arrival::head_of_call(
                    &GrpcCall { service, method, authority: None, headers, tls: None },
                    &host,
                )?
            }
        };
        if way.pod {
            return Ok(self.past_the_mesh(way, request));
        }
        let arrival = MeshArrival {
            client_namespace: way.from.0.namespace.to_string(),
            service: way.to.0.clone(),
            port: way.port,
            request,
            randoms: self.randoms(),
            answer: Response::new(()),
        };
        let Some(effect) = self.decider.mesh(&arrival)? else {
            return Ok(Answer::Failed(Failure::Connect("there is no such Service or port".to_owned())));
        };
        let first = self.random.u32(..);
        Ok(Answer::Http(match (way.speak, effect) {
            (MeshProtocol::Grpc, effect) => of_call(end_of_call(&self.backends, &self.store, effect, first)),
            (MeshProtocol::Http, Effect::Asks(_)) => {
                return Err(EngineError::unsupported("nobody is asked within a mesh"));
            }
            (MeshProtocol::Http, Effect::Answered(reply)) => http_answer(&reply, None),
            (MeshProtocol::Http, Effect::Forwarded(forwarded)) => {
                let again = |answer| {
                    let effect = self.decider.mesh(&MeshArrival { answer, ..arrival.clone() });
                    // It was forwarded a moment ago.
                    effect.ok().flatten().unwrap_or(Effect::Forwarded(forwarded.clone()))
                };
                forward(&self.backends, &self.store, (*forwarded).clone(), first, again)
            }
        }))
    }

    /// A request to the address of a pod, which no route is about.
    fn past_the_mesh(&mut self, way: &Way, request: Request<()>) -> Answer {
        let is_it = |pod: &&crate::cluster::RunningPod| {
            (pod.pod.namespace.as_str(), pod.pod.deployment()) == (&way.to.0.namespace, &way.to.0.name)
        };
        let address = self.store.pods().iter().find(is_it).and_then(|pod| pod.ports.get(&way.port));
        let Some(backend) = address.and_then(|address| self.backends.at(*address)) else {
            return Answer::Failed(Failure::Connect("there is no such pod or port".to_owned()));
        };
        let (head, ()) = request.into_parts();
        match backend.http.serve(&head, None).response {
            Some(response) => {
                let reply = Reply { status: response.status(), headers: headers(response.headers()) };
                Answer::Http(http_answer(&reply, read_echo(response.body())))
            }
            None => Answer::Failed(Failure::Closed("the pod broke the connection".to_owned())),
        }
    }
}

/// The host that a client names who dials a Service by its name.
fn host(way: &Way) -> String {
    let key = &way.to.0;
    let name = match key.namespace == way.from.0.namespace {
        true => key.name.to_string(),
        false => format!("{}.{}", key.name, key.namespace),
    };
    if way.port == 80 { name } else { format!("{name}:{}", way.port) }
}

/// The end of a call as cases of meshes look at it: a success counts as 200.
fn of_call(end: GrpcAnswer) -> HttpAnswer {
    let echo = end.echo.map(|GrpcEcho { pod, method, headers, .. }| Echo {
        pod,
        path: method,
        headers,
        ..Echo::default()
    });
    let headers = vec![("grpc-status".to_owned(), end.code.to_string())];
    HttpAnswer { status: if end.code == 0 { 200 } else { 503 }, headers, echo, certificate_requested: false }
}
