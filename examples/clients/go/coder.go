// A relay on github.com/coder/websocket: a context bounds each dial and each write, and a loop reconnects.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
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
		conn, _, err := websocket.Dial(ctx, url, nil)
		if err == nil {
			conn.SetReadLimit(-1)
			stay := context.AfterFunc(ctx, func() { conn.Close(websocket.StatusNormalClosure, "") })
			open, end := context.WithCancel(context.Background())
			go send(open, conn, messages)
			for data := []byte(nil); err == nil; {
				if _, data, err = conn.Read(open); err == nil {
					take(data)
				}
			}
			stay()
			end()
			conn.CloseNow()
		}
		log.Print(url, ": ", err)
	}
}

func send(open context.Context, conn *websocket.Conn, messages <-chan []byte) {
	for err := error(nil); err == nil; {
		select {
		case <-open.Done():
			return
		case data := <-messages:
			writing, cancel := context.WithTimeout(open, 10*time.Second)
			err = conn.Write(writing, websocket.MessageText, data) // an error ends the connection, and its reader
			cancel()
		}
	}
}
