package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Server serves an http.Handler at an address of its own.
type Server struct {
	Addr string // host:port
	http *http.Server
	done chan struct{}
}

// ErrInUse is wrapped by the error of Listen if another process has the port.
var ErrInUse = errors.New("is in use, perhaps by another hearth")

// Listen starts to serve h, behind Guard, at addr, host:port. It serves until Stop.
func Listen(addr string, h http.Handler, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %w", addr, ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	s := &Server{l.Addr().String(), &http.Server{
		Handler:           Guard(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       timeout,
		WriteTimeout:      timeout + 5*time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // ends with ErrServerClosed
	}()
	return s, nil
}

// Stop ends the server. Requests in flight may finish while ctx lasts; then they are cut
// off, which is an error.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were cut off: %w", err), s.http.Close())
	}
	<-s.done
	return err
}
