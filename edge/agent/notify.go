package agent

import (
	"net"
	"os"
	"strconv"
	"time"
)

// notify reports the agent's state to systemd, if systemd started the agent. See
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
	_, _ = c.Write([]byte(state)) // without it systemd logs that the message is missing
}

// watchdogInterval returns how often systemd expects a watchdog message, 0 for never.
func watchdogInterval() time.Duration {
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err != nil || usec <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 3
}

// watchdog sends systemd's watchdog messages. Without them systemd restarts the agent.
type watchdog struct{ last time.Duration }

// notify sends a watchdog message if one is due.
func (w *watchdog) notify(now time.Duration) {
	if every := watchdogInterval(); every > 0 && now-w.last >= every {
		w.last = now
		notify("WATCHDOG=1")
	}
}
