//! How long a mint is waited for.
//!
//! Whoever asks a mint holds his purse's turn meanwhile, and a mint may take a request and never answer it. So each question ends after
//! a while as one that was not answered, which leaves open what the mint did. Only a withdrawal is waited for without end: how long
//! Lightning takes the mint does not know either.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use cdk::Error;
use cdk::mint_url::MintUrl;
use cdk::nuts::{
    AuthToken, BatchCheckMintQuoteRequest, BatchMintRequest, CheckStateRequest, CheckStateResponse,
    Id, KeySet, KeysetResponse, MeltRequest, MintInfo, MintRequest, MintResponse, PaymentMethod,
    RestoreRequest, RestoreResponse, SwapRequest, SwapResponse,
};
use cdk::wallet::{
    AuthMintConnector, AuthWallet, LnurlPayInvoiceResponse, LnurlPayResponse, MintConnector,
};
use cdk_common::ws_client::{WsError, WsReceiver, WsSender};
use cdk_common::{
    MeltQuoteCreateResponse, MeltQuoteRequest, MeltQuoteResponse, MintQuoteRequest,
    MintQuoteResponse,
};
use futures::future::{Either, select};
use futures_timer::Delay;

use super::Connect;

/// How long a mint is waited for by default.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Reaches mints as `connect` does, and gives up on each question after so long. A withdrawal is not given up.
#[must_use]
pub fn within(connect: Connect, limit: Duration) -> Connect {
    Box::new(move |url| {
        let mint = connect(url);
        Arc::new(Patient { mint, limit })
    })
}

/// A way to a mint that is waited for so long.
struct Patient {
    mint: Arc<dyn MintConnector + Send + Sync>,
    limit: Duration,
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patient").field(&self.mint).finish()
    }
}

/// What is answered before the time is over.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, Error>>,
    limit: Duration,
) -> Result<T, Error> {
    match select(Box::pin(answer), Delay::new(limit)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(Error::Timeout),
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
impl MintConnector for Patient {
    fn auth_connector(
        &self,
        mint_url: MintUrl,
        cat: Option<AuthToken>,
    ) -> Arc<dyn AuthMintConnector + Send + Sync> {
        self.mint.auth_connector(mint_url, cat)
    }

    fn oidc_client(&self, discovery: String, client_id: Option<String>) -> cdk::OidcClient {
        self.mint.oidc_client(discovery, client_id)
    }

    async fn connect_websocket(
        &self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<(WsSender, WsReceiver), WsError> {
        self.mint.connect_websocket(url, headers).await
    }

    async fn fetch_lnurl_pay_request(&self, url: &str) -> Result<LnurlPayResponse, Error> {
        in_time(self.mint.fetch_lnurl_pay_request(url), self.limit).await
    }

    async fn fetch_lnurl_invoice(&self, url: &str) -> Result<LnurlPayInvoiceResponse, Error> {
        in_time(self.mint.fetch_lnurl_invoice(url), self.limit).await
    }

    async fn get_mint_keys(&self) -> Result<Vec<KeySet>, Error> {
        in_time(self.mint.get_mint_keys(), self.limit).await
    }

    async fn get_mint_keyset(&self, keyset_id: Id) -> Result<KeySet, Error> {
        in_time(self.mint.get_mint_keyset(keyset_id), self.limit).await
    }

    async fn get_mint_keysets(&self) -> Result<KeysetResponse, Error> {
        in_time(self.mint.get_mint_keysets(), self.limit).await
    }

    async fn post_mint_quote(
        &self,
        request: MintQuoteRequest,
    ) -> Result<MintQuoteResponse<String>, Error> {
        in_time(self.mint.post_mint_quote(request), self.limit).await
    }

    async fn post_mint(
        &self,
        method: &PaymentMethod,
        request: MintRequest<String>,
    ) -> Result<MintResponse, Error> {
        in_time(self.mint.post_mint(method, request), self.limit).await
    }

    async fn post_batch_check_mint_quote_status(
        &self,
        method: &PaymentMethod,
        request: BatchCheckMintQuoteRequest<String>,
    ) -> Result<Vec<MintQuoteResponse<String>>, Error> {
        let answer = self
            .mint
            .post_batch_check_mint_quote_status(method, request);
        in_time(answer, self.limit).await
    }

    async fn post_batch_mint(
        &self,
        method: &PaymentMethod,
        request: BatchMintRequest<String>,
    ) -> Result<MintResponse, Error> {
        in_time(self.mint.post_batch_mint(method, request), self.limit).await
    }

    async fn post_melt_quote(
        &self,
        request: MeltQuoteRequest,
    ) -> Result<MeltQuoteCreateResponse<String>, Error> {
        in_time(self.mint.post_melt_quote(request), self.limit).await
    }

    async fn get_mint_quote_status(
        &self,
        method: PaymentMethod,
        quote_id: &str,
    ) -> Result<MintQuoteResponse<String>, Error> {
        in_time(
            self.mint.get_mint_quote_status(method, quote_id),
            self.limit,
        )
        .await
    }

    async fn get_melt_quote_status(
        &self,
        method: PaymentMethod,
        quote_id: &str,
    ) -> Result<MeltQuoteResponse<String>, Error> {
        in_time(
            self.mint.get_melt_quote_status(method, quote_id),
            self.limit,
        )
        .await
    }

    async fn post_melt(
        &self,
        method: &PaymentMethod,
        request: MeltRequest<String>,
    ) -> Result<MeltQuoteResponse<String>, Error> {
        self.mint.post_melt(method, request).await
    }

    async fn post_swap(&self, request: SwapRequest) -> Result<SwapResponse, Error> {
        in_time(self.mint.post_swap(request), self.limit).await
    }

    async fn get_mint_info(&self) -> Result<MintInfo, Error> {
        in_time(self.mint.get_mint_info(), self.limit).await
    }

    async fn post_check_state(
        &self,
        request: CheckStateRequest,
    ) -> Result<CheckStateResponse, Error> {
        in_time(self.mint.post_check_state(request), self.limit).await
    }

    async fn post_restore(&self, request: RestoreRequest) -> Result<RestoreResponse, Error> {
        in_time(self.mint.post_restore(request), self.limit).await
    }

    async fn get_auth_wallet(&self) -> Option<AuthWallet> {
        self.mint.get_auth_wallet().await
    }

    async fn set_auth_wallet(&self, wallet: Option<AuthWallet>) {
        self.mint.set_auth_wallet(wallet).await;
    }
}
