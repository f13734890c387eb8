//go:build !linux

package kinds

import (
	"fmt"
	"io"
	"time"

	"go.bug.st/serial"
)

func openPort(path string) (io.ReadWriteCloser, error) {
	p, err := serial.Open(path, &serial.Mode{BaudRate: 9600})
	if err != nil {
		return nil, fmt.Errorf("open the port %s: %w", path, err)
	}
	return p, p.SetReadTimeout(100 * time.Millisecond)
}
