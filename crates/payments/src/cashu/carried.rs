//! The way to a mint that has no web address: cdk's own client, whose HTTP goes over the market's network.

use core::fmt;

use async_trait::async_trait;
use cdk::nuts::AuthToken;
use cdk::wallet::HttpTransport;
use cdk_common::ws_client::{WsError, WsReceiver, WsSender};
use cdk_common::{HttpError, RawResponse};
use haggle_protocol::PublicKey;
use haggle_protocol::mint::{Answer, Method, REQUEST_BODY_MAX, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::shared::Shared;
use crate::carrier::{NotCarried, SharedCarrier};

/// Brings what is asked of one mint to the peer that carries it.
pub(super) struct Carried {
    carrier: Shared<SharedCarrier>,
    mint: PublicKey,
}

impl Carried {
    pub(super) fn new(carrier: SharedCarrier, mint: PublicKey) -> Self {
        Self {
            carrier: Shared::new(carrier),
            mint,
        }
    }

    async fn ask(
        &self,
        method: Method,
        url: &Url,
        auth: Option<AuthToken>,
        body: Vec<u8>,
    ) -> Result<RawResponse, HttpError> {
        if auth.is_some() {
            return Err(HttpError::Other(
                "no tokens for access go this way".to_owned(),
            ));
        }
        let request = Request {
            method,
            path: url.path().to_owned(),
            body,
        };
        let fits = request.is_for_a_mint() && request.body.len() <= REQUEST_BODY_MAX;
        if !fits || url.query().is_some() {
            return Err(HttpError::Other("that is not carried to a mint".to_owned()));
        }
        match self.carrier.carry(&self.mint, request).await {
            Ok(Answer::Said { status, body }) => Ok(RawResponse::new(status, body)),
            Ok(Answer::Refused(why)) => Err(lost(NotCarried::Refused(why))),
            Err(why) => Err(lost(why)),
        }
    }
}

/// As whatever is lost on the way: what the mint did is open.
fn lost(why: NotCarried) -> HttpError {
    HttpError::Connection(why.to_string())
}

impl Clone for Carried {
    fn clone(&self) -> Self {
        Self::new((*self.carrier).clone(), self.mint)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Carried").field(&self.mint).finish()
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl HttpTransport for Carried {
    async fn ws_connect(
        &self,
        _: &str,
        _: &[(&str, &str)],
    ) -> Result<(WsSender, WsReceiver), WsError> {
        Err(WsError::NotSupported(
            "a mint behind a peer is asked, and tells nothing by itself".to_owned(),
        ))
    }

    fn with_proxy(&mut self, _: Url, _: Option<&str>, _: bool) -> Result<(), HttpError> {
        Err(HttpError::Other("this way has no proxy".to_owned()))
    }

    async fn http_get<R>(&self, url: Url, auth: Option<AuthToken>) -> Result<R, HttpError>
    where
        R: DeserializeOwned,
    {
        self.http_get_raw(url, auth).await?.json_or_status_error()
    }

    async fn http_get_raw(
        &self,
        url: Url,
        auth: Option<AuthToken>,
    ) -> Result<RawResponse, HttpError> {
        self.ask(Method::Get, &url, auth, Vec::new()).await
    }

    async fn http_post<P, R>(
        &self,
        url: Url,
        auth: Option<AuthToken>,
        payload: &P,
    ) -> Result<R, HttpError>
    where
        P: Serialize + Send + Sync,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(payload)?;
        let answer = self.ask(Method::Post, &url, auth, body).await?;
        answer.json_or_status_error()
    }

    async fn http_post_form_raw<P>(
        &self,
        _: Url,
        _: Option<AuthToken>,
        _: &P,
    ) -> Result<RawResponse, HttpError>
    where
        P: Serialize + Send + Sync,
    {
        Err(HttpError::Other("no mint is asked by forms".to_owned()))
    }
}
