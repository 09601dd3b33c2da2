// A relay on the WebSocket of browsers, as undici has it for Node: onclose, and a new one a second later.
import { WebSocket } from "undici";

const RECONNECT_AFTER = 1_000;
const END_WITHIN = 5_000;

const [inputUrl, outputUrl] = process.argv.slice(2);
const waiting = [];
const links = [];
let stopping = false;

function keepConnected(url, { onopen = null, onmessage = null }) {
  const link = { socket: null };
  const connect = () => {
    const socket = new WebSocket(url);
    link.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = onopen;
    socket.onmessage = onmessage;
    socket.onerror = (event) => console.error(`${url}: ${event.message}`);
    socket.onclose = () => {
      if (!stopping) setTimeout(connect, RECONNECT_AFTER);
    };
  };
  connect();
  links.push(link);
  return link;
}

function flush() {
  while (waiting.length > 0 && output.socket.readyState === WebSocket.OPEN) output.socket.send(waiting.shift());
}

const output = keepConnected(outputUrl, { onopen: flush });
keepConnected(inputUrl, {
  onmessage: (event) => {
    waiting.push(event.data);
    flush();
  },
});

process.on("SIGTERM", () => {
  stopping = true;
  for (const { socket } of links) socket.close(1000);
  setTimeout(() => process.exit(0), END_WITHIN).unref();
});
