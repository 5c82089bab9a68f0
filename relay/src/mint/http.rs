//! One question to a mint on this machine, by HTTP/1.1, on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use haggle_net::mint::Asked;
use haggle_protocol::mint::{ANSWER_BODY_MAX, Answer, Method, Why};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long the mint may take. Whoever asked waits half a minute longer, so that he still hears of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is said and taken.
const JSON: &str = "application/json";

/// Asks the mint, and brings what it answers.
///
/// # Errors
/// [`Why::Silent`] if it does not answer, [`Why::TooLarge`] if that is too long, [`Why::NotAPath`] if the path cannot be asked for.
pub(super) async fn ask(at: SocketAddr, asked: Asked) -> Result<Answer, Why> {
    let answer = timeout(PATIENCE, exchange(at, asked)).await;
    answer.unwrap_or(Err(Why::Silent))
}

async fn exchange(at: SocketAddr, asked: Asked) -> Result<Answer, Why> {
    // Its room is taken for as long as this lasts.
    let Asked { request, .. } = &asked;
    let path: Uri = request.path.parse().map_err(|_| Why::NotAPath)?;
    let method = match request.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
    };
    let question = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, at.to_string())
        .header(ACCEPT, JSON)
        .header(CONTENT_TYPE, JSON)
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|_| Why::NotAPath)?;

    let stream = TcpStream::connect(at).await.map_err(silent)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(silent)?;
    // Ends with this question.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(question).await.map_err(silent)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), ANSWER_BODY_MAX);
    let body = body.collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Why::TooLarge
        } else {
            Why::Silent
        }
    })?;
    let body = body.to_bytes().to_vec();
    Ok(Answer::Said { status, body })
}

fn silent(error: impl std::error::Error) -> Why {
    tracing::debug!(%error, "the mint does not answer");
    Why::Silent
}

#[cfg(test)]
mod tests {
    use haggle_protocol::mint::Request;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn asked(method: Method, path: &str, body: &str) -> Asked {
        let request = Request {
            method,
            path: path.to_owned(),
            body: body.as_bytes().to_vec(),
        };
        request.into()
    }

    /// Something that reads one question up to `last`, answers with this, and gives back what it was asked.
    async fn mint(
        last: &'static str,
        answer: Vec<u8>,
    ) -> (SocketAddr, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(last.as_bytes()) {
                assert!(stream.read_buf(&mut read).await.unwrap() > 0);
            }
            // It may have heard enough.
            let _ = stream.write_all(&answer).await;
            String::from_utf8(read).unwrap()
        });
        (at, asked)
    }

    #[tokio::test]
    async fn a_mint_is_asked_for_what_was_asked_and_its_word_comes_back() {
        let said = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\n{\"code\":1}";
        let (at, heard) = mint("{\"a\":1}", said.to_vec()).await;
        let answer = ask(at, asked(Method::Post, "/v1/swap", "{\"a\":1}")).await;
        let body = b"{\"code\":1}".to_vec();
        assert_eq!(answer, Ok(Answer::Said { status: 400, body }));
        let heard = heard.await.unwrap();
        assert!(heard.starts_with("POST /v1/swap HTTP/1.1\r\n"), "{heard}");
        assert!(
            heard.contains("content-type: application/json\r\n"),
            "{heard}"
        );
    }

    #[tokio::test]
    async fn one_that_is_not_there_or_hangs_up_or_says_too_much_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let info = || asked(Method::Get, "/v1/info", "");
        assert_eq!(ask(nobody, info()).await, Err(Why::Silent));
        let (rude, _) = mint(
            "\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{".to_vec(),
        )
        .await;
        assert_eq!(ask(rude, info()).await, Err(Why::Silent));
        let mut long = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        long.resize(long.len() + ANSWER_BODY_MAX + 1, b' ');
        let (talker, _) = mint("\r\n\r\n", long).await;
        assert_eq!(ask(talker, info()).await, Err(Why::TooLarge));
    }
}
