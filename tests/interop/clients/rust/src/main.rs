// reqwest, with its asynchronous client. The lines are described in ../../python/steps.py.
//
// Its blocking client cannot pass: where a server ends its side after an early answer, as nginx does,
// that client reports that it could not send the body, and drops the answer.
use std::error::Error;
use std::io::{stdin, BufRead};
use std::time::Duration;

use base64::{engine::general_purpose::STANDARD, Engine};
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method};
use tokio::runtime::Runtime;

async fn send(
    client: &Client,
    words: &[&str],
    day: &str,
) -> Result<(u16, Vec<u8>), Box<dyn Error>> {
    let [method, url, token, data] = words else {
        return Err("a line has four words".into());
    };
    let mut request = client.request(Method::from_bytes(method.as_bytes())?, *url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if data.starts_with('/') {
        let picture = Part::bytes(std::fs::read(data)?)
            .file_name("my photo.png")
            .mime_str("image/png")?;
        let form = Form::new()
            .part("file", picture)
            .text("scheduled_at", day.to_owned());
        request = request.multipart(form);
    } else if !data.is_empty() {
        request = request
            .header(CONTENT_TYPE, "application/json")
            .body((*data).to_owned());
    }
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let day = std::env::args().nth(1).ok_or("DAY is missing")?;
    let runtime = Runtime::new()?;
    let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
    for line in stdin().lock().lines() {
        let line = line?;
        if !line.is_empty() {
            let words: Vec<&str> = line.split('\t').collect();
            let (status, body) = runtime.block_on(send(&client, &words, &day))?;
            let body = STANDARD.encode(body);
            println!("{{\"status\": {status}, \"body\": \"{body}\"}}");
        }
    }
    Ok(())
}
