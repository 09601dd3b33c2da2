// A relay to put under test: every message of the input is sent on to the output, in order.
//
//     simtool chaos steady reset --command "node examples/relay.mjs {input} {output}"
//
// Needs a global WebSocket (Node 22 on; Node 20 with --experimental-websocket) or the package ws. It reconnects with
// jitter and keeps order. A WebSocket says only that bytes are buffered, so what is on its way when a connection breaks
// is lost.

const scale = Number(process.env.SIMTOOL_TIME_SCALE ?? 1); // scenario seconds in one of ours
const [inputUrl, outputUrl] = process.argv.slice(2);
const WebSocket = globalThis.WebSocket ?? (await findWs());
const LONGEST_DELAY = 8_000;
const STABLE = 10_000;
const MOST_WAITING = 2000;

const waiting = [];
let output = null;
let stopping = false;
const open = new Set();

async function findWs() {
  try {
    return (await import("ws")).WebSocket;
  } catch {
    console.error("no WebSocket: take Node 22 or newer, node --experimental-websocket, or npm install ws");
    process.exit(1);
  }
}

function keepConnected(url, { onOpen = () => {}, onMessage = () => {}, onEnd = () => {} }) {
  let delay = 500;
  const connect = () => {
    const socket = new WebSocket(url);
    const began = Date.now();
    open.add(socket);
    socket.onopen = () => onOpen(socket);
    socket.onmessage = (event) => onMessage(event.data);
    // Both: in Node 20 no close follows a handshake that broke off.
    socket.onerror = socket.onclose = () => {
      if (!open.delete(socket)) return;
      onEnd(socket);
      if (stopping) return;
      const stable = (Date.now() - began) * scale > STABLE;
      delay = stable ? 500 : Math.min(2 * delay, LONGEST_DELAY);
      setTimeout(connect, (Math.random() * delay) / scale);
    };
  };
  connect();
}

function flush() {
  while (waiting.length > 0 && output?.readyState === WebSocket.OPEN) output.send(waiting.shift());
}

keepConnected(inputUrl, {
  onMessage: (message) => {
    waiting.push(message);
    if (waiting.length > MOST_WAITING) waiting.shift(); // the oldest gives way, and no-loss fails
    flush();
  },
});
keepConnected(outputUrl, {
  onOpen: (socket) => {
    output = socket;
    flush();
  },
  onEnd: (socket) => {
    if (output === socket) output = null;
  },
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    stopping = true;
    flush();
    for (const socket of open) socket.close(1000);
    setTimeout(() => process.exit(0), 5_000 / scale);
    setInterval(() => open.size === 0 && process.exit(0), 10);
  });
}
