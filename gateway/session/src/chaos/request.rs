//! How chaos is asked for, and what was done is told.

use super::{CHANNELS, Chaos, Deed, MOST_STREAMS, Numbers};
use crate::{outlet::ConnId, worker::Worker};
use market::SymbolId;
use wire::{
    dialect::native_json,
    message::{self, Channel, ChaosAct, ChaosDeed, ChaosPlan, ChaosSubject, ErrorCode, Refusal, ReqId},
};

impl Worker {
    /// Does what a `chaos` request asks for, where the operator allows it.
    pub(crate) fn chaos(&mut self, conn: ConnId, chaos: message::Chaos, id: Option<&ReqId>) {
        if !self.limits.allow_chaos {
            let text = "chaos is for tests and switched off here; start the gateway with --allow-chaos";
            return self.refuse_channel(conn, "chaos", id, ErrorCode::NotAllowed, text);
        }
        match chaos {
            message::Chaos::Report => self.report_chaos(conn, id),
            message::Chaos::Begin { symbols, channel, plan } => {
                self.for_each_symbol(conn, "chaos", id, &symbols, |worker, symbol| {
                    worker.begin_chaos(conn, symbol, channel, plan, id)
                });
            }
        }
    }

    fn begin_chaos(
        &mut self,
        conn: ConnId,
        symbol: SymbolId,
        channel: Option<Channel>,
        plan: ChaosPlan,
        id: Option<&ReqId>,
    ) -> Result<(), Refusal> {
        let name = &self.publisher.instruments()[symbol].symbol;
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let chaos = subscriber.chaos.get_or_insert_default();
        for of in CHANNELS.into_iter().filter(|&of| channel.is_none_or(|channel| channel == of)) {
            if !chaos.begin(symbol, name, of, plan) {
                let text =
                    format!("chaos is done to at most {MOST_STREAMS} subscriptions; use another connection");
                return Err(Refusal::new(ErrorCode::TooManyTopics, text));
            }
        }
        subscriber.answers.say(|body| native_json::push_chaos(body, name, channel, !plan.is_off(), id));
        Ok(())
    }

    fn report_chaos(&mut self, conn: ConnId, id: Option<&ReqId>) {
        let instruments = self.publisher.instruments();
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let none = Chaos::default();
        let chaos = subscriber.chaos.as_deref().unwrap_or(&none);
        let counts = ChaosAct::ALL.iter().map(|&act| (act, chaos.counts[act as usize]));
        let subjects = chaos.streams.iter().map(|stream| ChaosSubject {
            channel: stream.channel,
            symbol: &instruments[stream.symbol].symbol,
            messages: stream.messages,
        });
        let deeds = chaos.deeds.iter().map(|&Deed { act, symbol, channel, numbers }| {
            let Numbers { message, first_seq, seq } = numbers;
            ChaosDeed { act, channel, symbol: &instruments[symbol].symbol, message, first_seq, seq }
        });
        let answers = &mut subscriber.answers;
        answers.say(|body| native_json::push_chaos_report(body, counts, subjects, deeds, id));
    }
}
