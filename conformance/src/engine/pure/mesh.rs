//! Requests within a mesh.

use http::{Request, Response};

use super::forward::forward;
use super::grpc::end_of_call;
use super::{Decider, Pure};
use crate::backend::read_echo;
use crate::case::{HttpRequest, MeshProtocol, Way};
use crate::decision::{Effect, MeshArrival, Reply, headers};
use crate::engine::EngineError;
use crate::engine::arrival::http_answer;
use crate::engine::mesh::{self, of_call};
use crate::exchange::{Answer, Failure};

impl<D: Decider> Pure<D> {
    pub(super) fn mesh(&mut self, way: &Way, request: &HttpRequest) -> Result<Answer, EngineError> {
        let request = mesh::head(way, request)?;
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
                let budgets = (&mut self.budgets, self.now);
                forward(&self.backends, &self.store, (*forwarded).clone(), first, budgets, again)
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
