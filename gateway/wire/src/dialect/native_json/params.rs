//! The members of a request's `params`, each with its type, its range and what to say when it is wrong.

use super::request::read_id;
use crate::{
    message::{Chance, Channel, ChaosPlan, Depth, ErrorCode, Interval, MAX_SYMBOLS, Policy, Refusal, ReqId},
    token::Token,
};
use market::{Nanos, Seq, Speed};
use simd_json::{prelude::*, tape::Value};
use std::time::Duration;

/// The members that a method knows, each at most once. A member that is null counts as left out.
pub(super) struct Params<'t, 'i> {
    members: Vec<(&'static str, Value<'t, 'i>)>,
}

impl<'t, 'i> Params<'t, 'i> {
    /// Reads the members in `known`; `method` is for the text of the error when there is another one.
    pub(super) fn read(
        params: Option<Value<'t, 'i>>,
        method: &str,
        known: &[&'static str],
    ) -> Result<Params<'t, 'i>, Refusal> {
        let mut members = Vec::with_capacity(known.len());
        let Some(params) = params else { return Ok(Params { members }) };
        let object = params.as_object().ok_or_else(|| bad("params must be an object"))?;
        for (name, value) in object.iter() {
            let Some(&name) = known.iter().find(|&&known| known == name) else {
                return Err(unknown(name, method, known));
            };
            if members.iter().any(|&(other, _)| other == name) {
                return Err(bad(format!("'{name}' stands twice in params; send it once")));
            }
            members.push((name, value));
        }
        members.retain(|(_, value)| !value.is_null());
        Ok(Params { members })
    }

    /// The symbols of a request that is wrong elsewhere, so that each gets its answer; none if they are wrong too.
    pub(super) fn symbols_of(params: Value<'t, 'i>) -> Vec<String> {
        params.get("symbol").and_then(|value| symbols(value).ok()).unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<Value<'t, 'i>> {
        self.members.iter().find(|(member, _)| *member == name).map(|&(_, value)| value)
    }

    fn need(&self, name: &str) -> Result<Value<'t, 'i>, Refusal> {
        self.get(name).ok_or_else(|| bad(format!("params lack '{name}'")))
    }

    pub(super) fn channel(&self) -> Result<Channel, Refusal> {
        Channel::parse(self.need("channel")?.as_str().unwrap_or_default())
    }

    pub(super) fn channel_if_named(&self) -> Result<Option<Channel>, Refusal> {
        self.get("channel").map(|value| Channel::parse(value.as_str().unwrap_or_default())).transpose()
    }

    /// One or more; none for a channel that is of no symbol.
    pub(super) fn symbols(&self, channel: Channel) -> Result<Vec<String>, Refusal> {
        match channel {
            Channel::Stats | Channel::Summary => Ok(Vec::new()),
            Channel::Book | Channel::Trade | Channel::Bbo => symbols(self.need("symbol")?),
        }
    }

    pub(super) fn symbol(&self) -> Result<String, Refusal> {
        let text = self.need("symbol")?;
        text.as_str().map(Into::into).ok_or_else(|| bad("symbol must be one text, such as \"BTC/USDT\""))
    }

    pub(super) fn depth(&self) -> Result<Option<Depth>, Refusal> {
        let Some(value) = self.get("depth") else { return Ok(None) };
        match value.as_u64() {
            Some(number) => Depth::new(number).map(Some),
            None => Err(Refusal::new(
                ErrorCode::BadDepth,
                "depth must be an integer: 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all",
            )),
        }
    }

    pub(super) fn interval(&self) -> Result<Option<Interval>, Refusal> {
        let Some(value) = self.get("interval_ms") else { return Ok(None) };
        match value.as_u64() {
            Some(millis) => Interval::new(millis).map(Some),
            None => Err(Refusal::new(
                ErrorCode::BadInterval,
                "interval_ms must be an integer: 0 for each event, 10, 100, or 1000",
            )),
        }
    }

    pub(super) fn policy(&self) -> Result<Option<Policy>, Refusal> {
        self.get("policy").map(|value| Policy::parse(value.as_str().unwrap_or_default())).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| bad(format!("{name} must be true or false")))
    }

    pub(super) fn since(&self) -> Result<Option<Token>, Refusal> {
        let Some(value) = self.get("since") else { return Ok(None) };
        let token = value.as_str().unwrap_or_default().parse::<Token>();
        token.map(Some).map_err(|error| Refusal::new(ErrorCode::BadToken, error.to_string()))
    }

    pub(super) fn heartbeat(&self) -> Result<Option<Duration>, Refusal> {
        let Some(value) = self.get("heartbeat_ms") else { return Ok(None) };
        match value.as_u64() {
            Some(millis @ (0 | 250..=60_000)) => Ok(Some(Duration::from_millis(millis))),
            _ => Err(bad("heartbeat_ms must be an integer from 250 to 60000, or 0 for no heartbeats")),
        }
    }

    pub(super) fn seq(&self) -> Result<Seq, Refusal> {
        self.need("seq")?.as_u64().ok_or_else(|| bad("seq must be an integer, not negative"))
    }

    /// The mark of a replay: what a `req_id` may be.
    pub(super) fn replay(&self) -> Result<Option<ReqId>, Refusal> {
        let Some(value) = self.get("replay") else { return Ok(None) };
        read_id(value).map(Some).map_err(|_| bad("replay must be what the req_id of its request was"))
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Nanos>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().filter(|&ns| ns <= Nanos::MAX.0).map(Nanos);
        let time = number.or_else(|| value.as_str()?.parse().ok());
        time.map(Some).ok_or_else(|| {
            bad(format!("{name} must be a time, such as \"2024-08-08T23:54:10Z\", or nanoseconds since 1970"))
        })
    }

    pub(super) fn speed(&self) -> Result<Option<Speed>, Refusal> {
        let Some(value) = self.get("speed") else { return Ok(None) };
        let number = value.cast_f64().and_then(|factor| Speed::times(factor).ok());
        let speed = number.or_else(|| value.as_str().filter(|&text| text == "max").map(|_| Speed::MAX));
        speed.map(Some).ok_or_else(|| bad("speed must be a number above 0, or \"max\""))
    }

    pub(super) fn max_gap(&self) -> Result<Option<Duration>, Refusal> {
        let Some(value) = self.get("max_gap_ms") else { return Ok(None) };
        let millis = value.as_u64().ok_or_else(|| bad("max_gap_ms must be an integer, not negative"))?;
        Ok(Some(Duration::from_millis(millis)))
    }

    /// Whether a replay becomes a live subscription.
    pub(super) fn goes_live(&self) -> Result<bool, Refusal> {
        let Some(value) = self.get("then") else { return Ok(false) };
        if value.as_str() == Some("live") { Ok(true) } else { Err(bad("then must be \"live\", or left out")) }
    }

    pub(super) fn checksum(&self) -> Result<u32, Refusal> {
        let number = self.need("checksum")?.as_u32();
        number.ok_or_else(|| bad("checksum must be an integer from 0 to 4294967295 (a CRC32)"))
    }

    /// Refuses what stands beside a member that stands alone.
    pub(super) fn alone(&self, name: &str) -> Result<(), Refusal> {
        match self.members.len() {
            1 => Ok(()),
            _ => Err(bad(format!("{name} stands alone; send the other params in a request of their own"))),
        }
    }

    /// 0 if it is left out.
    pub(super) fn count(&self, name: &str) -> Result<u64, Refusal> {
        let Some(value) = self.get(name) else { return Ok(0) };
        value.as_u64().ok_or_else(|| bad(format!("{name} must be an integer, not negative")))
    }

    /// 0 if it is left out.
    pub(super) fn chance(&self, name: &str) -> Result<Chance, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Chance::default()) };
        let chance = value.cast_f64().and_then(Chance::new);
        chance.ok_or_else(|| bad(format!("{name} must be a number from 0 to 1, such as 0.01")))
    }

    /// One thing at most is done to a message.
    pub(super) fn check_chances(&self, plan: &ChaosPlan) -> Result<(), Refusal> {
        let chances = [plan.drop, plan.repeat, plan.reorder, plan.corrupt];
        match chances.map(Chance::parts).iter().sum::<u32>() {
            0..=Chance::CERTAIN => Ok(()),
            _ => Err(bad(
                "drop, repeat, reorder and corrupt must add up to at most 1: a message has one of them",
            )),
        }
    }

    pub(super) fn stall(&self) -> Result<Duration, Refusal> {
        match self.count("stall_ms") {
            Ok(millis @ 0..=600_000) => Ok(Duration::from_millis(millis)),
            _ => Err(bad("stall_ms must be an integer from 0 to 600000")),
        }
    }
}

fn bad(text: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(ErrorCode::BadParams, text)
}

fn unknown(name: &str, method: &str, known: &[&str]) -> Refusal {
    let name = &name[..name.floor_char_boundary(32)];
    if known.is_empty() {
        return bad(format!("{method} takes no params, but there is '{name}'"));
    }
    bad(format!("{method} has no param '{name}'; it takes {}", known.join(", ")))
}

fn symbols(value: Value<'_, '_>) -> Result<Vec<String>, Refusal> {
    if let Some(one) = value.as_str() {
        return Ok(vec![one.into()]);
    }
    let list = value.as_array().filter(|list| (1..=MAX_SYMBOLS).contains(&list.len()));
    let texts = list.and_then(|list| list.iter().map(|text| text.as_str().map(String::from)).collect());
    texts.ok_or_else(|| bad(format!("symbol must be one text or a list of 1 to {MAX_SYMBOLS} texts")))
}
