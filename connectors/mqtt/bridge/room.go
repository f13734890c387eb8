package bridge

import (
	"errors"
	"log/slog"
	"math"
	"syscall"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/folder"
)

// yieldBytes is how much dead letters give up when the disk has no room for the spool:
// one write of intake, and a part of a segment.
const yieldBytes = 8 << 20

// fit lowers the caps to what a disk of size bytes can hold: the spool gets up to three
// quarters of it, and the dead letters up to three quarters of the rest.
func (c Config) fit(size int64, log *slog.Logger) Config {
	asked := c
	size >>= 20
	c.SpoolMiB = max(min(c.SpoolMiB, size/4*3), 1)
	c.DeadMiB = max(min(c.DeadMiB, (size-c.SpoolMiB)/4*3), 1)
	if c != asked {
		log.Warn("the disk is smaller than the caps: they are lowered", "disk_mib", size, "SPOOL_MAX_MIB", asked.SpoolMiB, "spool_mib", c.SpoolMiB, "DEAD_MAX_MIB", asked.DeadMiB, "dead_mib", c.DeadMiB)
	}
	return c
}

// room returns how many bytes of the disk dead letters may take beside those that they
// have.
func (b *Bridge) room() int64 {
	_, free, err := folder.Disk(b.config.Dir)
	if err != nil {
		return math.MaxInt64 // a write then finds out
	}
	return roomBeside(b.config.SpoolMiB<<20-b.spool.Stats().Bytes, free)
}

// roomBeside returns what is free without the bytes that the spool may still take up to its
// cap. Of a disk that others have nearly filled, the spool cannot take all that: then it is
// a quarter of what is free, and when the disk is full, dead letters yield.
func roomBeside(spool, free int64) int64 { return free - min(max(spool, 0), free/4*3) }

// yield returns the func to be called with an error of the spool: if the disk is full,
// dead letters give up some of their room.
func yield(letters *deadletter.Letters) func(error) {
	return func(err error) {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			letters.Yield(yieldBytes)
		}
	}
}
