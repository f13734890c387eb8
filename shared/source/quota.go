package source

import (
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// Minute is the quota of an upstream that allows limit calls a minute, for runs
// that need so many. It reserves the schedule's calls but leaves room for one
// rerun: else a list that fills the minute could never be rerun.
func Minute(key string, limit, needs int) *store.Quota {
	return &store.Quota{Key: key, Limit: limit, Window: time.Minute, Spare: min(needs, max(limit-needs, 0))}
}
