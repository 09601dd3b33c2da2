// A relay on partysocket, which keeps what is sent while there is no connection. In Node it is given the WebSocket of ws.
import { WebSocket as ReconnectingWebSocket } from "partysocket";
import WebSocket from "ws";

const END_WITHIN = 5_000;

const [inputUrl, outputUrl] = process.argv.slice(2);
const options = { WebSocket };

const output = new ReconnectingWebSocket(outputUrl, [], options);
const input = new ReconnectingWebSocket(inputUrl, [], options);

input.addEventListener("message", (event) => output.send(event.data));
for (const socket of [input, output]) {
  socket.addEventListener("error", (event) => console.error(`${socket.url}: ${event.message}`));
}

process.on("SIGTERM", () => {
  input.close(1000);
  output.close(1000);
  setTimeout(() => process.exit(0), END_WITHIN).unref();
});
