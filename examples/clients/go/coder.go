// A relay on github.com/coder/websocket: a context that ends with SIGTERM, and a loop that reconnects.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	messages, done := make(chan []byte, 1000), make(chan bool)
	go func() { keepConnected(ctx, os.Args[1], func(data []byte) { messages <- data }, nil); close(done) }()
	keepConnected(ctx, os.Args[2], func([]byte) {}, messages)
	<-done
}

func keepConnected(ctx context.Context, url string, take func([]byte), messages <-chan []byte) {
	for inHand := []byte(nil); ctx.Err() == nil; time.Sleep(time.Second) {
		if conn, _, err := websocket.Dial(ctx, url, nil); err == nil {
			ended := make(chan error)
			go func() { read(conn, take); close(ended) }()
			inHand = write(ctx, conn, inHand, messages, ended)
			conn.Close(websocket.StatusNormalClosure, "") // and waits for the answer, unless it has ended already
		}
	}
}

func read(conn *websocket.Conn, take func([]byte)) {
	conn.SetReadLimit(-1)
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		take(data)
	}
}

// What is left in hand: the message that could not be sent.
func write(ctx context.Context, conn *websocket.Conn, inHand []byte, messages <-chan []byte, ended <-chan error) []byte {
	for inHand == nil || conn.Write(ctx, websocket.MessageText, inHand) == nil {
		inHand = nil
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return nil
		case inHand = <-messages:
		}
	}
	return inHand
}
