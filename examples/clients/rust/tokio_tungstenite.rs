//! A relay on tokio-tungstenite: a stream in two halves, a select over both, and a loop that reconnects.

use futures_util::{SinkExt, StreamExt};
use std::{env, time::Duration};
use tokio::{select, signal::unix, sync::mpsc, sync::watch, time};
use tokio_tungstenite::{connect_async, tungstenite::Error, tungstenite::Message};

#[tokio::main]
async fn main() {
    let urls: Vec<String> = env::args().skip(1).collect();
    let (sender, messages) = mpsc::unbounded_channel();
    let (_, none) = mpsc::unbounded_channel();
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        unix::signal(unix::SignalKind::terminate()).unwrap().recv().await;
        stop.send_replace(true);
        stop.closed().await
    });
    let pass_on = |message| _ = sender.send(message);
    let drop = |_| ();
    tokio::join!(
        keep_connected(&urls[0], pass_on, none, stopping.clone()),
        keep_connected(&urls[1], drop, messages, stopping)
    );
}

async fn keep_connected(
    url: &str, take: impl Fn(Message), mut messages: mpsc::UnboundedReceiver<Message>,
    mut stopping: watch::Receiver<bool>,
) {
    while !*stopping.borrow() {
        if let Err(error) = relay(url, &take, &mut messages, &mut stopping).await {
            eprintln!("{url}: {error}");
        }
        time::sleep(Duration::from_secs(1)).await;
    }
}

async fn relay(
    url: &str, take: &impl Fn(Message), messages: &mut mpsc::UnboundedReceiver<Message>,
    stopping: &mut watch::Receiver<bool>,
) -> Result<(), Error> {
    let stream = select! {
        _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        connected = connect_async(url) => connected?.0,
    };
    let (mut write, mut read) = stream.split();
    loop {
        select! {
            _ = stopping.wait_for(|stop| *stop) => return write.close().await,
            incoming = read.next() => match incoming.transpose()? {
                Some(message) if message.is_text() || message.is_binary() => take(message),
                Some(_) => (), // a Ping is answered by the library
                None => return Ok(()),
            },
            Some(message) = messages.recv() => write.send(message).await?,
        }
    }
}
