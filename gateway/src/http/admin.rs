//! `POST /v1/admin/…`: an operator holds a feed that has a clock of its own, lets it go, moves a replay, and switches the
//! simulator.

use super::{
    Reply, Visit,
    parameters::bad,
    reply::{self, Problem},
};
use crate::{archive::Archive, config::FeedSpec, control::Control};
use feed_sim::Switch;
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming, header};
use journal::Remote;
use market::{Nanos, Speed};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wire::{
    envelope::websocket::check_origin,
    message::{ErrorCode, Refusal},
};

/// What all its paths begin with.
pub(super) const PREFIX: &str = "/v1/admin/";

/// The longest body, in bytes.
const BODY_LIMIT: usize = 4 << 10;

/// No parameters; an empty object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seek {
    to: NumberOrText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSpeed {
    speed: NumberOrText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewScenario {
    scenario: Option<String>,
    rate: Option<u64>,
}

/// A value with a text of its own, which may be a number as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Integer(u64),
    Number(f64),
    Text(String),
}

/// What every answer tells.
#[derive(Serialize)]
struct State {
    paused: bool,
    /// Only of a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<String>,
    /// Only of the simulator.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// Only of a simulator with a rate for all symbols together.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<u64>,
}

impl Visit {
    /// Does what an operator asks.
    pub(super) async fn admin(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let control = &self.shared.control;
        let path = request.uri().path().to_owned();
        if *request.method() != Method::POST {
            return Err(Problem::wrong_method(&path, "POST"));
        }
        self.check_operator(request)?;
        let limited = Limited::new(request.body_mut(), BODY_LIMIT).collect().await;
        let body =
            limited.map_err(|_| bad(format!("the body is longer than {BODY_LIMIT} bytes, or incomplete")))?;
        let body = body.to_bytes();
        match path.strip_prefix(PREFIX) {
            Some("pause") => {
                read::<Nothing>(&body)?;
                check_can_be_held(control)?;
                control.hold_feed();
            }
            Some("continue") => {
                read::<Nothing>(&body)?;
                control.let_feed_go();
            }
            Some("speed") => {
                let speed = speed(&read::<NewSpeed>(&body)?)?;
                replay(control)?.set_speed(speed);
                control.wake_feed();
            }
            Some("seek") => {
                let to = time(&read::<Seek>(&body)?)?;
                seek(control, to).await?;
            }
            Some("scenario") => {
                let NewScenario { scenario, rate } = read(&body)?;
                let wished = simulator(control)?.to(scenario.as_deref(), rate);
                wished.map_err(|error| bad(error.to_string()))?;
                control.wake_feed();
            }
            _ => return Err(Problem::unknown_path(&path)),
        }
        let switch = control.switch.as_ref();
        let (scenario, rate) = (switch.map(Switch::scenario), switch.and_then(Switch::rate));
        let speed = control.remote.as_ref().map(|remote| remote.speed().to_string());
        let state = State { paused: control.hold.is_paused(), speed, scenario, rate };
        Ok(reply::json(serde_json::to_vec(&state).unwrap_or_default()))
    }

    /// From this machine, with a content type that no web form can send, and not from a page of another origin; or with the token.
    fn check_operator(&self, request: &Request<Incoming>) -> Result<(), Problem> {
        let (control, headers) = (&self.shared.control, request.headers());
        let said = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        if let (Some(token), Some(said)) = (&control.config.admin_token, said) {
            let wanted = format!("Bearer {token}");
            // How long it takes to compare hashes tells nothing of the token.
            let is_known = Sha256::digest(wanted) == Sha256::digest(said);
            return is_known.then_some(()).ok_or_else(|| forbidden("the token is not that of --admin-token"));
        }
        check_origin(headers, &[])?;
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = content_type
            .is_some_and(|text| text.split(';').next().unwrap_or_default().trim() == "application/json");
        if !is_json {
            return Err(forbidden("the Content-Type has to be application/json"));
        }
        if !self.peer.ip().is_loopback() {
            return Err(forbidden(
                "this is done from the gateway's own machine, or with the token of --admin-token",
            ));
        }
        Ok(())
    }
}

fn forbidden(text: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden, text)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| bad(format!("the body: {error}")))
}

fn speed(NewSpeed { speed }: &NewSpeed) -> Result<Speed, Problem> {
    let speed = match speed {
        NumberOrText::Integer(number) => Speed::times(*number as f64),
        NumberOrText::Number(number) => Speed::times(*number),
        NumberOrText::Text(text) => text.parse(),
    };
    speed.map_err(|error| bad(error.to_string()))
}

fn time(Seek { to }: &Seek) -> Result<Nanos, Problem> {
    let time = match to {
        NumberOrText::Integer(number) => number.to_string().parse(),
        NumberOrText::Number(number) => number.to_string().parse(),
        NumberOrText::Text(text) => text.parse(),
    };
    time.map_err(|error: market::TimeError| bad(format!("to: {error}")))
}

fn check_can_be_held(control: &Control) -> Result<(), Problem> {
    if !matches!(control.config.feed, FeedSpec::Shared(_)) {
        return Ok(());
    }
    let text = "a feed in shared memory cannot be held: it goes on whatever its readers do";
    Err(Problem::new(StatusCode::CONFLICT, ErrorCode::NotAllowed, text))
}

fn replay(control: &Control) -> Result<&Remote, Problem> {
    control.remote.as_ref().ok_or_else(|| {
        let text = "this gateway does not play a recording; start it with --feed journal:DIR";
        Refusal::new(ErrorCode::NoRecording, text).into()
    })
}

fn simulator(control: &Control) -> Result<&Switch, Problem> {
    control.switch.as_ref().ok_or_else(|| {
        let text = "this gateway's feed is not the simulator; start it with --feed sim";
        Refusal::new(ErrorCode::NotOffered, text).into()
    })
}

async fn seek(control: &Arc<Control>, to: Nanos) -> Result<(), Problem> {
    let remote = replay(control)?;
    if control.recording.is_some() {
        let text = "what is being recorded cannot be moved; start the replay without --record";
        return Err(Problem::new(StatusCode::CONFLICT, ErrorCode::NotAllowed, text));
    }
    if let Some(archive) = &control.archive {
        archive.ask(0, move |archive: &Archive| archive.check_within(to)).await?;
    }
    remote.seek(to);
    control.wake_feed();
    Ok(())
}
