//! HTTP requests and WebSockets to a listener.

use super::forward::{ask, forward};
use super::stream::Led;
use super::{Decider, Pure};
use crate::backend::{Tls, read_echo};
use crate::case::{ClientTls, HttpRequest, Target, WebSocketConversation};
use crate::decision::{Arrival, Effect, Entrance, Reply, headers};
use crate::engine::EngineError;
use crate::engine::arrival::{self, http_answer};
use crate::exchange::{Answer, Failure, HttpAnswer};

impl<D: Decider> Pure<D> {
    pub(super) fn http(&mut self, target: &Target, request: &HttpRequest) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        let server_name = request.tls.as_ref().map(|tls| tls.server_name.as_str());
        let entrance = self.decider.entrance(&at.gateway, at.port, server_name);
        let arrival = Arrival { now: self.now(), ..arrival::of_request(&at, request, self.randoms())? };
        if entrance == Entrance::Stream {
            return self.http_in_stream(arrival, request.tls.as_ref());
        }
        let certificate_requested = match self.admit(&at, request.tls.as_ref()) {
            Ok(requested) => requested,
            Err(failure) => return Ok(Answer::Failed(failure)),
        };
        Ok(Answer::Http(HttpAnswer { certificate_requested, ..self.carry_out(arrival) }))
    }

    /// What the client gets; a backend has been asked where the decider says so.
    fn carry_out(&mut self, mut arrival: Arrival) -> HttpAnswer {
        match self.settle(&mut arrival) {
            Effect::Asks(_) => unreachable!("all services were asked"),
            Effect::Answered(reply) => http_answer(&reply, None),
            Effect::Forwarded(forwarded) => {
                let again = |answer| self.decider.answer(&Arrival { answer, ..arrival.clone() }).effect;
                let (first, budgets) = (self.random.u32(..), (&mut self.budgets, arrival.now));
                forward(&self.backends, &self.store, *forwarded, first, budgets, again)
            }
        }
    }

    /// What becomes of a request, once all authorization services have answered that are asked about it.
    pub(super) fn settle(&mut self, arrival: &mut Arrival) -> Effect {
        loop {
            match self.decider.answer(arrival).effect {
                Effect::Asks(asked) => {
                    let reply = ask(&self.backends, &self.store, &asked, self.random.u32(..));
                    arrival.auth.push(reply);
                }
                effect => return effect,
            }
        }
    }

    /// A request that goes through as bytes.
    fn http_in_stream(
        &mut self,
        arrival: Arrival,
        client: Option<&ClientTls>,
    ) -> Result<Answer, EngineError> {
        let Arrival { gateway, port, request, .. } = arrival;
        let led = self.lead(&gateway, port, client)?;
        let Led { backend, server_name } = match led {
            Ok(led) if led.backend.is_http() => led,
            Ok(_) => return Ok(Answer::Failed(Failure::Malformed("the backend speaks no HTTP".to_owned()))),
            Err(failure) => return Ok(Answer::Failed(failure)),
        };
        let tls = server_name.map(|server_name| Tls { server_name, ..Tls::default() });
        let (head, ()) = request.into_parts();
        let Some(response) = backend.http.serve(&head, tls.as_ref()).response else {
            return Ok(Answer::Failed(Failure::Closed("the backend broke the connection".to_owned())));
        };
        let reply = Reply { status: response.status(), headers: headers(response.headers()) };
        Ok(Answer::Http(http_answer(&reply, read_echo(response.body()))))
    }

    pub(super) fn web_socket(
        &mut self,
        target: &Target,
        conversation: &WebSocketConversation,
    ) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        let mut arrival = arrival::of_web_socket(&at, conversation, self.randoms())?;
        match self.settle(&mut arrival) {
            Effect::Asks(_) => unreachable!("all services were asked"),
            Effect::Answered(reply) => Ok(Answer::Http(http_answer(&reply, None))),
            Effect::Forwarded(_) => Ok(Answer::WebSocket(conversation.messages.clone())),
        }
    }
}
