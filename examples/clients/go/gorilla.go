// A relay on github.com/gorilla/websocket: Pings, a read deadline that each Pong moves on, and a loop that reconnects.
package main

import (
	"context"
	ws "github.com/gorilla/websocket"
	"os"
	"os/signal"
	"syscall"
	"time"
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
		if conn, _, err := ws.DefaultDialer.DialContext(ctx, url, nil); err == nil {
			ended := make(chan error)
			go func() { read(conn, take); close(ended) }()
			inHand = write(ctx, conn, inHand, messages, ended)
			conn.Close()
		}
	}
}

func read(conn *ws.Conn, take func([]byte)) {
	later := func(string) error { return conn.SetReadDeadline(time.Now().Add(60 * time.Second)) }
	conn.SetPongHandler(later)
	for later(""); ; {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		take(data)
	}
}

func write(ctx context.Context, conn *ws.Conn, inHand []byte, messages <-chan []byte, ended <-chan error) []byte {
	for pings := time.Tick(54 * time.Second); inHand == nil || conn.WriteMessage(ws.TextMessage, inHand) == nil; {
		inHand = nil // or it is what could not be sent, and the next connection's first
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			conn.WriteMessage(ws.CloseMessage, ws.FormatCloseMessage(ws.CloseNormalClosure, ""))
			conn.SetReadDeadline(time.Now().Add(time.Second))
			<-ended
		case <-pings:
			conn.WriteControl(ws.PingMessage, nil, time.Now().Add(10*time.Second))
		case inHand = <-messages:
		}
	}
	return inHand
}
