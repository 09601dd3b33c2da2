//! A relay on tokio-tungstenite: a stream in two halves, a select over both, and a loop that reconnects.

use futures_util::{SinkExt, StreamExt};
use std::{env, time::Duration};
use tokio::{select, signal::unix, sync::mpsc, sync::watch, time};
use tokio_tungstenite::{connect_async, tungstenite::Error, tungstenite::Message};

type Messages = mpsc::UnboundedReceiver<Message>;

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
    let input = keep_connected(&urls[0], |message| _ = sender.send(message), none, stopping.clone());
    tokio::join!(input, keep_connected(&urls[1], |_| (), messages, stopping.clone()));
}

async fn keep_connected(url: &str, take: impl Fn(Message), mut from: Messages, mut stopping: watch::Receiver<bool>) {
    let mut in_hand = None; // the message that could not be sent
    while !*stopping.borrow() {
        if let Err(error) = relay(url, &take, &mut from, &mut in_hand, &mut stopping).await {
            eprintln!("{url}: {error}");
        }
        time::sleep(Duration::from_secs(1)).await;
    }
}

async fn relay(
    url: &str, take: &impl Fn(Message), from: &mut Messages, in_hand: &mut Option<Message>,
    stopping: &mut watch::Receiver<bool>,
) -> Result<(), Error> {
    let (mut write, mut read) = select! {
        _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        connected = connect_async(url) => connected?.0.split(),
    };
    loop {
        if let Some(message) = in_hand {
            write.send(message.clone()).await?;
            *in_hand = None;
        }
        select! {
            _ = stopping.wait_for(|stop| *stop) => return write.close().await,
            incoming = read.next() => match incoming.transpose()? {
                Some(message) if message.is_text() || message.is_binary() => take(message),
                Some(_) => (), // a Ping is answered by the library
                None => return Ok(()),
            },
            Some(message) = from.recv() => *in_hand = Some(message),
        }
    }
}
