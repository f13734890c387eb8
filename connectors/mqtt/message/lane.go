package message

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/spool"
)

// A function reads the spool by one lane. After an outage, it has two: one for the
// backlog and one for new messages. Each lane is a reader of the spool.

// LaneName returns the name of the spool reader for the function's lane that begins at
// start. The name contains start, so that after a restart it is known where the lane
// before it ends.
func LaneName(function string, start spool.Seq) string {
	return fmt.Sprintf("fn/%s@%d", function, start)
}

// ParseLane is the inverse of LaneName. ok is false for the name of another reader.
func ParseLane(name string) (function string, start spool.Seq, ok bool) {
	rest, found := strings.CutPrefix(name, "fn/")
	function, at, more := strings.Cut(rest, "@")
	n, err := strconv.ParseUint(at, 10, 64)
	return function, spool.Seq(n), found && more && err == nil
}

// Lanes returns the first records of the lanes that a function has, oldest first.
func Lanes(l *spool.Log, function string) (starts []spool.Seq) {
	for _, name := range l.Readers() {
		if f, start, ok := ParseLane(name); ok && f == function {
			starts = append(starts, start)
		}
	}
	slices.Sort(starts)
	return starts
}

// Pending reports whether the delivery of a record to a function is not yet done.
func Pending(l *spool.Log, function string, seq spool.Seq) bool {
	if seq >= l.Next() {
		return false // the record was in another spool, which is deleted
	}
	for _, start := range slices.Backward(Lanes(l, function)) {
		if start <= seq {
			next, known := l.Cursor(LaneName(function, start))
			return known && next <= seq
		}
	}
	return false
}

// ReplayRecord is the record of a replayed dead letter in the spool.
type ReplayRecord struct {
	Function string
	ID       string // of the message
	Seq      spool.Seq
}
