//! One WebSocket of a tape.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};

use super::{
    Player,
    reel::{Line, Turn},
};
use crate::wire::lock;

/// A client that does not say what the tape's client said is not waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says what the line said, and waits where it had waited for the client; then stays, and answers what it
/// had answered before (a heartbeat).
pub(super) async fn play(mut socket: WebSocket, line: Line, player: Arc<Player>) {
    let habits = habits(&line);
    let ended = say_all(&mut socket, &line, &habits).await;
    {
        let mut reel = lock(&player.reel);
        reel.playing = reel.playing.saturating_sub(1);
    }
    if ended {
        let _ = socket.send(Message::Close(None)).await;
        return;
    }
    while let Some(Ok(message)) = socket.recv().await {
        if let Some(answer) = text_of(&message).and_then(|text| habits.get(&text))
            && socket.send(answer.clone()).await.is_err()
        {
            return;
        }
    }
}

/// Whether the line's own end was reached.
async fn say_all(socket: &mut WebSocket, line: &Line, habits: &HashMap<String, Message>) -> bool {
    for (at, turn) in line.turns.iter().enumerate() {
        match turn {
            Turn::Server { text, binary } => {
                // An answer to a habit is given when the client shows it, not by the clock of the tape.
                let is_habit = at > 0
                    && matches!(&line.turns[at - 1], Turn::Client(said) if habits.contains_key(said.trim()));
                if !is_habit && socket.send(message(text, *binary)).await.is_err() {
                    return false;
                }
            }
            Turn::Client(said) if habits.contains_key(said.trim()) => {}
            Turn::Client(_) => {
                let wait = async {
                    while let Some(Ok(message)) = socket.recv().await {
                        let Some(text) = text_of(&message) else { continue };
                        match habits.get(&text) {
                            Some(answer) => drop(socket.send(answer.clone()).await),
                            None => return,
                        }
                    }
                };
                let _ = tokio::time::timeout(PATIENCE, wait).await;
            }
            // The tape's end is its maker's, not the vendor's, when nothing follows.
            Turn::End => return at + 1 < line.turns.len(),
        }
    }
    false
}

/// What the client said more than once and was answered alike each time: a heartbeat.
fn habits(line: &Line) -> HashMap<String, Message> {
    let mut habits = HashMap::new();
    for pair in line.turns.windows(2) {
        if let [Turn::Client(said), Turn::Server { text, binary }] = pair
            && said.contains("heartbeat")
        {
            habits.insert(said.trim().to_owned(), message(text, *binary));
        }
    }
    habits
}

fn message(text: &str, binary: bool) -> Message {
    if binary { Message::Binary(text.to_owned().into()) } else { Message::Text(text.into()) }
}

fn text_of(message: &Message) -> Option<String> {
    match message {
        Message::Text(text) => Some(text.trim().to_owned()),
        Message::Binary(bytes) => std::str::from_utf8(bytes).ok().map(|text| text.trim().to_owned()),
        _ => None,
    }
}
