package message

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/spool"
)

// A function reads the spool by one lane, or, after an outage, by two: one for
// the backlog and one for what is new. Each lane is a reader of the spool.

// LaneName is the reader's name of the lane of function that begins at start. The
// start is part of the name, so that after a restart the lane before it ends there.
func LaneName(function string, start spool.Seq) string {
	return fmt.Sprintf("fn/%s@%d", function, start)
}

// ParseLane reads what LaneName wrote.
func ParseLane(name string) (function string, start spool.Seq, ok bool) {
	rest, found := strings.CutPrefix(name, "fn/")
	function, at, more := strings.Cut(rest, "@")
	n, err := strconv.ParseUint(at, 10, 64)
	return function, spool.Seq(n), found && more && err == nil
}

// Lanes returns where the lanes of a function begin, oldest first.
func Lanes(l *spool.Log, function string) (starts []spool.Seq) {
	for _, name := range l.Readers() {
		if f, start, ok := ParseLane(name); ok && f == function {
			starts = append(starts, start)
		}
	}
	slices.Sort(starts)
	return starts
}

// Waits reports whether a record is still to be delivered to function, or being
// delivered.
func Waits(l *spool.Log, function string, seq spool.Seq) bool {
	if seq >= l.Next() {
		return false // of a spool that is no more
	}
	for _, start := range slices.Backward(Lanes(l, function)) {
		if start <= seq {
			next, known := l.Cursor(LaneName(function, start))
			return known && next <= seq
		}
	}
	return false
}

// Placed is a replayed letter in the spool.
type Placed struct {
	Function string
	ID       string // of the message
	Seq      spool.Seq
}
