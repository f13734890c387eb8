package agent

import (
	"net"
	"os"
	"strconv"
	"time"
)

// notify tells systemd of the agent's state, where systemd started it. See
// sd_notify(3).
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // a leading @ is an abstract name
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(state)) // systemd will miss it and say so
}

// beatEvery is how often systemd wants to hear that the delivery goes on, 0 for never.
func beatEvery() time.Duration {
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err != nil || usec <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 3
}

// watchdog is systemd's, which restarts an agent that it does not hear of.
type watchdog struct{ last time.Duration }

// beat tells systemd that the delivery goes on, as often as it wants to hear it.
func (w *watchdog) beat(now time.Duration) {
	if every := beatEvery(); every > 0 && now-w.last >= every {
		w.last = now
		notify("WATCHDOG=1")
	}
}
