package sim

import (
	"context"
	"net"
	"sync"
)

// serve listens on addr and calls handle for each connection until ctx ends. It returns
// the address; done is closed when the listener and all connections have ended.
func serve(ctx context.Context, addr string, handle func(net.Conn)) (at string, done <-chan struct{}, err error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	var conns sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		defer close(ended)
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			conns.Go(func() {
				defer c.Close()
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				handle(c)
			})
		}
		conns.Wait()
	}()
	return l.Addr().String(), ended, nil
}
