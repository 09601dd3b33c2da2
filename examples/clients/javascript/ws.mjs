// A relay on ws. The library does not reconnect: a new socket is made a second after the last one has closed.
import WebSocket from "ws";

const RECONNECT_AFTER = 1_000;
const END_WITHIN = 5_000;

const [inputUrl, outputUrl] = process.argv.slice(2);
const waiting = [];
const links = [];
let stopping = false;

function keepConnected(url, { onOpen = () => {}, onMessage = () => {} }) {
  const link = { socket: null };
  const connect = () => {
    const socket = new WebSocket(url);
    link.socket = socket;
    socket.on("open", onOpen);
    socket.on("message", onMessage);
    socket.on("error", (error) => console.error(`${url}: ${error.message}`));
    socket.on("close", () => {
      if (!stopping) setTimeout(connect, RECONNECT_AFTER);
    });
  };
  connect();
  links.push(link);
  return link;
}

function flush() {
  while (waiting.length > 0 && output.socket.readyState === WebSocket.OPEN) {
    const { data, isBinary } = waiting.shift();
    output.socket.send(data, { binary: isBinary });
  }
}

const output = keepConnected(outputUrl, { onOpen: flush });
keepConnected(inputUrl, {
  onMessage: (data, isBinary) => {
    waiting.push({ data, isBinary });
    flush();
  },
});

process.on("SIGTERM", () => {
  stopping = true;
  for (const { socket } of links) socket.close(1000);
  setTimeout(() => process.exit(0), END_WITHIN).unref();
});
