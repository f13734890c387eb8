package source

import (
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// Minute returns the quota of an upstream that allows limit calls a minute, for a
// source that needs a given number of calls per run. It reserves the calls of one
// scheduled run. It reserves fewer where a manual rerun would otherwise have no
// calls left: a list of targets that uses the whole minute can then still be rerun.
func Minute(key string, limit, needs int) *store.Quota {
	return &store.Quota{Key: key, Limit: limit, Window: time.Minute, Reserve: min(needs, max(limit-needs, 0))}
}
