package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hearth-home/hearth/edge/driver"
)

// PTY gives a simulated sensor a serial port at path, a link to the pty as
// /dev/serial/by-id holds links, and returns once it can be opened. While
// Unplugged is on the port is gone; afterwards it is back, as another pty. The
// port ends with ctx; wait for done before removing its folder.
func PTY(ctx context.Context, path string, dev UART, clock driver.Clock) (done <-chan struct{}, err error) {
	line := NewSerial(dev, clock)
	p, err := plug(path)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		faults, _ := dev.faultsOf()
		for ctx.Err() == nil {
			if !faults.has(Unplugged) && p == nil {
				p, _ = plug(path) // tried again below
			}
			if p != nil {
				p.serve(ctx, line, faults)
				p.unplug(path)
				p = nil
			}
			driver.RealClock{}.Wait(ctx, 5*time.Millisecond)
		}
		if p != nil {
			p.unplug(path)
		}
	}()
	return over, nil
}

// pty is a pair of terminals. We keep the sensor's end, and the host's open so
// that reading ours does not fail while nobody else has it open.
type pty struct{ sensorEnd, hostEnd *os.File }

func plug(path string) (*pty, error) {
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	name, err := unlock(ours)
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	theirs, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	p := &pty{ours, theirs}
	if err := errors.Join(raw(theirs), link(name, path)); err != nil {
		p.unplug(path)
		return nil, err
	}
	return p, nil
}

// link replaces path in one step.
func link(target, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	os.Remove(path + ".new")
	if err := os.Symlink(target, path+".new"); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (p *pty) unplug(path string) {
	os.Remove(path)
	p.hostEnd.Close()
	p.sensorEnd.Close()
}

// serve carries bytes both ways until ctx ends or the port is unplugged.
func (p *pty) serve(ctx context.Context, line *Serial, faults *Faults) {
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		b := make([]byte, 64)
		for {
			n, err := p.sensorEnd.Read(b)
			if err != nil {
				return
			}
			line.Write(b[:n]) // an unplugged line drops it
		}
	}()
	defer func() {
		p.sensorEnd.SetReadDeadline(time.Now()) // ends the reader
		<-heard
	}()
	b := make([]byte, 64)
	for ctx.Err() == nil && !faults.has(Unplugged) {
		if n := line.next(b); n > 0 {
			p.sensorEnd.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			p.sensorEnd.Write(b[:n]) // what nobody reads is lost, as on a wire
			continue
		}
		driver.RealClock{}.Wait(ctx, time.Millisecond)
	}
}

// unlock readies the other end of a new pty and returns its name.
func unlock(ours *os.File) (name string, err error) {
	rc, err := ours.SyscallConn()
	if err != nil {
		return "", err
	}
	cerr := rc.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		var n int
		if n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err == nil {
			name = fmt.Sprintf("/dev/pts/%d", n)
		}
	})
	return name, errors.Join(cerr, err)
}

// raw stops the terminal from echoing and from changing bytes before the host
// has set the port up.
func raw(f *os.File) (err error) {
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	cerr := rc.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err != nil {
			return
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(cerr, err)
}
