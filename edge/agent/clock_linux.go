package agent

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// systemClock returns the machine's clock. It counts as set when the kernel reports it
// as synchronised, or systemd-timesyncd has done so since the machine started.
func systemClock() clock {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return clock{wall: time.Now, mono: sinceBoot, synced: synced, kernel: strings.TrimSpace(string(id))}
}

func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Since(started)
	}
	return time.Duration(ts.Nano())
}

func synced() bool {
	if _, err := os.Stat("/run/systemd/timesync/synchronized"); err == nil {
		return true
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}
