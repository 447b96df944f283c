//! The Kraken dialect: what it has beyond the native protocol, whose topics and methods it shares.

use crate::{outlet::ConnId, requests::Step, worker::Worker};
use market::Nanos;
use wire::{
    dialect::{
        Dialect,
        kraken_v2::{self, Asked},
    },
    message::{CloseCode, ErrorAnswer, ErrorCode, ReqId},
};

impl Worker {
    /// Takes a request.
    pub(crate) fn kraken_request(&mut self, conn: ConnId, text: &str, now: Nanos) -> Step {
        self.request_text.clear();
        self.request_text.extend_from_slice(text.as_bytes());
        match kraken_v2::parse_request(&mut self.request_text) {
            Ok(Asked::Request(request)) => self.take_request(conn, Ok(request), now),
            Err(error) => self.take_request(conn, Err(error), now),
            Ok(Asked::SubscribeInstrument { snapshot, id }) => {
                self.about_instruments(conn, "subscribe", id.as_ref(), now, |worker, id| {
                    worker.subscribe_instruments(conn, snapshot, id, now)
                })
            }
            Ok(Asked::UnsubscribeInstrument { id }) => {
                self.about_instruments(conn, "unsubscribe", id.as_ref(), now, |worker, id| {
                    worker.unsubscribe_instruments(conn, id, now)
                })
            }
        }
    }

    /// Does what is asked about the channel of the instruments, within the client's budget.
    fn about_instruments(
        &mut self,
        conn: ConnId,
        method: &'static str,
        id: Option<&ReqId>,
        now: Nanos,
        act: impl FnOnce(&mut Worker, Option<&ReqId>) -> Result<(), ErrorCode>,
    ) -> Step {
        self.counters.requests += 1;
        let code = match self.admit(conn, false, now) {
            Ok(()) => act(self, id).err(),
            Err(Some(_)) => Some(ErrorCode::RateLimited),
            Err(None) => {
                return Step::Close(CloseCode::PolicyViolation.code(), CloseCode::RateLimited.text().into());
            }
        };
        if let Some(code) = code {
            let answer = ErrorAnswer { method: Some(method), ..ErrorAnswer::new(code, "slow down") };
            self.refuse(conn, &answer, id);
        }
        Step::Go
    }

    fn subscribe_instruments(
        &mut self,
        conn: ConnId,
        snapshot: bool,
        id: Option<&ReqId>,
        now: Nanos,
    ) -> Result<(), ErrorCode> {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if std::mem::replace(&mut subscriber.hears_instruments, true) {
            return Err(ErrorCode::AlreadySubscribed);
        }
        let answers = &mut subscriber.answers;
        answers.say(|body| kraken_v2::push_instrument_subscribed(body, snapshot, id, now));
        if snapshot {
            let instruments = self.publisher.instruments();
            answers.say(|body| kraken_v2::push_instruments(body, instruments));
        }
        Ok(())
    }

    fn unsubscribe_instruments(
        &mut self,
        conn: ConnId,
        id: Option<&ReqId>,
        now: Nanos,
    ) -> Result<(), ErrorCode> {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if !std::mem::take(&mut subscriber.hears_instruments) {
            return Err(ErrorCode::NotSubscribed);
        }
        subscriber.answers.say(|body| kraken_v2::push_instrument_unsubscribed(body, id, now));
        Ok(())
    }

    /// The table of instruments is another one: who wants to be told is told all of it.
    pub(crate) fn tell_instruments(&mut self) {
        for conn in self.conns() {
            let subscriber = &mut self.subscribers[conn.0 as usize];
            if subscriber.dialect == Dialect::Kraken
                && subscriber.hears_instruments
                && !subscriber.is_closing()
            {
                let instruments = self.publisher.instruments();
                subscriber.answers.say(|body| kraken_v2::push_instruments(body, instruments));
                self.make_ready(conn);
            }
        }
    }
}
