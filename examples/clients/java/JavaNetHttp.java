// A relay on java.net.http.WebSocket: a listener that asks for one message after another, and a loop that reconnects.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.*;

class JavaNetHttp {
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final BlockingQueue<String> MESSAGES = new LinkedBlockingQueue<>();

    static class Link implements WebSocket.Listener {
        final CompletableFuture<Void> ended = new CompletableFuture<>();
        final StringBuilder parts = new StringBuilder();
        final boolean passesOn;
        Link(boolean passesOn) { this.passesOn = passesOn; }

        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            parts.append(part);
            if (last) {
                if (passesOn) MESSAGES.add(parts.toString());
                parts.setLength(0);
            }
            socket.request(1);
            return null;
        }
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) { ended.complete(null); return null; }
        public void onError(WebSocket socket, Throwable error) { ended.completeExceptionally(error); }
    }

    static void keepConnected(String url, boolean isInput) throws InterruptedException {
        String inHand = null;
        for (;; Thread.sleep(1000)) {
            Link link = new Link(isInput);
            try {
                WebSocket socket = CLIENT.newWebSocketBuilder().buildAsync(URI.create(url), link).join();
                Thread goodbye = new Thread(() -> socket.sendClose(WebSocket.NORMAL_CLOSURE, "").orTimeout(5, TimeUnit.SECONDS).join());
                Runtime.getRuntime().addShutdownHook(goodbye); // runs at SIGTERM
                link.ended.whenComplete((done, error) -> Runtime.getRuntime().removeShutdownHook(goodbye));
                if (isInput) link.ended.join();
                while (!link.ended.isDone()) {
                    if (inHand != null) socket.sendText(inHand, true).join();
                    inHand = MESSAGES.poll(100, TimeUnit.MILLISECONDS);
                }
            } catch (CompletionException | IllegalStateException error) {
                System.err.println(url + ": " + error);
            }
        }
    }

    public static void main(String[] urls) throws InterruptedException {
        Thread input = new Thread(() -> {
            try { keepConnected(urls[0], true); } catch (InterruptedException end) { }
        });
        input.start();
        keepConnected(urls[1], false);
    }
}
