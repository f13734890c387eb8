package kinds

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// readTimeout is how long a read of a port waits for a byte.
const readTimeout = 100 * time.Millisecond

// port is an open serial port and the lock on it.
type port struct {
	serial.Port
	lock *os.File
}

// openPort opens a serial port at 9600 8N1 and locks it. Without the lock two readers
// would each get part of the bytes. The kernel's exclusive mode does not keep out a second
// program that runs as root.
func openPort(path string) (io.ReadWriteCloser, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explainPort(path, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, explainPort(path, err)
	}
	p, err := serial.Open(path, &serial.Mode{BaudRate: 9600})
	if err != nil {
		lock.Close()
		return nil, explainPort(path, err)
	}
	if err := p.SetReadTimeout(readTimeout); err != nil {
		return nil, errors.Join(err, p.Close(), lock.Close())
	}
	return &port{p, lock}, nil
}

// Close closes the port and releases the lock.
func (p *port) Close() error { return errors.Join(p.Port.Close(), p.lock.Close()) }

// explainPort adds the likely cause to an error of opening a port.
func explainPort(path string, err error) error {
	hint := ""
	perr, isPort := errors.AsType[*serial.PortError](err)
	switch {
	case errors.Is(err, os.ErrNotExist), isPort && perr.Code() == serial.PortNotFound:
		hint = ": is it plugged in? hearth-edge list shows the ports"
	case errors.Is(err, os.ErrPermission), isPort && perr.Code() == serial.PermissionDenied:
		hint = ": add the user to the group dialout"
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EBUSY), isPort && perr.Code() == serial.PortBusy:
		hint = ": another program uses it"
	}
	return fmt.Errorf("open the port %s%s: %w", path, hint, err)
}
