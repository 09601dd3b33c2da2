// A relay on github.com/gorilla/websocket: Pings, a read deadline that each Pong moves on, and a loop that reconnects.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	messages := make(chan []byte, 1000)
	var links sync.WaitGroup
	links.Go(func() { keepConnected(ctx, os.Args[1], func(data []byte) { messages <- data }, nil) })
	links.Go(func() { keepConnected(ctx, os.Args[2], func([]byte) {}, messages) })
	links.Wait()
}

func keepConnected(ctx context.Context, url string, take func([]byte), messages <-chan []byte) {
	for ; ctx.Err() == nil; time.Sleep(time.Second) {
		conn, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
		if err == nil {
			open, end := context.WithCancel(ctx)
			go write(open, conn, messages)
			conn.SetReadDeadline(time.Now().Add(60 * time.Second))
			conn.SetPongHandler(func(string) error { return conn.SetReadDeadline(time.Now().Add(60 * time.Second)) })
			for data := []byte(nil); err == nil; {
				if _, data, err = conn.ReadMessage(); err == nil {
					take(data)
				}
			}
			end()
			conn.Close()
		}
		log.Print(url, ": ", err)
	}
}

func write(open context.Context, conn *websocket.Conn, messages <-chan []byte) {
	for err, pings := error(nil), time.Tick(54*time.Second); err == nil; {
		conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		select {
		case <-open.Done(): // it has ended, or we are to stop: nothing but the goodbye is left
			conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			conn.SetReadDeadline(time.Now().Add(time.Second))
			return
		case <-pings:
			err = conn.WriteMessage(websocket.PingMessage, nil)
		case data := <-messages:
			err = conn.WriteMessage(websocket.TextMessage, data)
		}
	}
	conn.Close()
}
