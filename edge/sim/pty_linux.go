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

// PTY connects a simulated sensor to a serial port at path, and returns once the port can
// be opened. path is a link to the pty, like those in /dev/serial/by-id. While Unplugged is
// on, the port does not exist; afterwards it is another pty. The port is removed when ctx
// ends; wait for done before you remove its folder.
func PTY(ctx context.Context, path string, dev UART, clock driver.Clock) (done <-chan struct{}, err error) {
	line := NewSerial(dev, clock)
	p, err := plug(path)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		faults, _ := dev.faultsOf()
		for ctx.Err() == nil {
			if !faults.has(Unplugged) && p == nil {
				p, _ = plug(path) // after an error, tried again in the next round
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
	return ended, nil
}

// pty is a pair of terminals. The host's end is kept open too: otherwise reads of the
// sensor's end fail while no program has the port open.
type pty struct{ sensorEnd, hostEnd *os.File }

// plug makes a pty and links path to it.
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

// link makes path a link to target, atomically.
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
	readerEnded := make(chan struct{})
	go func() {
		defer close(readerEnded)
		b := make([]byte, 64)
		for {
			n, err := p.sensorEnd.Read(b)
			if err != nil {
				return
			}
			line.Write(b[:n]) // an unplugged line drops the bytes
		}
	}()
	defer func() {
		p.sensorEnd.SetReadDeadline(time.Now()) // ends the reader
		<-readerEnded
	}()
	b := make([]byte, 64)
	for ctx.Err() == nil && !faults.has(Unplugged) {
		if n := line.next(b); n > 0 {
			p.sensorEnd.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			p.sensorEnd.Write(b[:n]) // bytes that nobody reads are lost, as on a wire
			continue
		}
		driver.RealClock{}.Wait(ctx, time.Millisecond)
	}
}

// unlock unlocks the host's end of a new pty and returns its path.
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

// raw switches off echo and the conversion of bytes, for the time before the host has
// configured the port.
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
