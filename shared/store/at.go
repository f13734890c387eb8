package store

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
)

// maxEpisodes is how many of the latest messages about alerts Episodes looks at.
const maxEpisodes = 5000

// Episodes returns the times at which alerts were open that overlap with from <= t <= to, each as
// it was last known, by the time at which they began. Those of the last week are complete;
// older ones are known by the messages about them within a week of the span. Messages are kept
// for 90 days.
func (s *Store) Episodes(ctx context.Context, from, to time.Time) ([]alert.State, error) {
	found, err := s.episodes(ctx, from.Add(-keepAlerts), to.Add(keepAlerts), to)
	if err != nil {
		return nil, err
	}
	var out []alert.State
	for _, a := range found {
		if over := !a.Ended.IsZero() && a.Ended.Before(from); !over && !a.Since.After(to) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b alert.State) int { return a.Since.Compare(b.Since) })
	return out, nil
}

// AlertsAt returns the alerts that were open at a time, as they were then as far as messages
// about them tell.
func (s *Store) AlertsAt(ctx context.Context, at time.Time) ([]alert.State, error) {
	then, err := s.episodes(ctx, at.Add(-keepSent), at, at)
	if err != nil {
		return nil, err
	}
	later, err := s.Episodes(ctx, at, at)
	if err != nil {
		return nil, err
	}
	var out []alert.State
	for _, a := range later {
		was, told := then[episode{a.Key, a.Episode}]
		if told {
			a = was
		} else if a.Fired.After(at) { // it was not yet certain
			continue
		}
		if !a.Ended.IsZero() && !a.Ended.After(at) {
			continue
		}
		a.Phase, a.Ended = alert.Firing, time.Time{}
		if a.Acked.After(at) {
			a.Acked, a.AckedBy = time.Time{}, ""
		}
		out = append(out, a)
	}
	return out, nil
}

// episode is one time at which an alert was open.
type episode struct {
	key    string
	number int64
}

// episodes returns the episodes that began until a time, each as the newest message of first to
// last shows it. If last is later than begun, alerts that are still stored count as they are now.
func (s *Store) episodes(ctx context.Context, first, last, begun time.Time) (map[episode]alert.State, error) {
	messages, err := query(ctx, s, "read the messages about alerts", scanQueued, `select `+queuedColumns+` from outbox
		where alert is not null and created >= $1 and created <= $2 order by created desc, key desc limit $3`, stamp(first), stamp(last), maxEpisodes)
	if err != nil {
		return nil, err
	}
	out := map[episode]alert.State{}
	for _, m := range messages {
		of := episode{m.Alert.Key, m.Alert.Episode}
		if _, newer := out[of]; !newer && !m.Alert.Since.After(begun) {
			out[of] = *m.Alert
		}
	}
	if !last.After(begun) {
		return out, nil
	}
	states, err := s.Alerts(ctx, maxAlerts)
	for _, a := range states {
		if a.Episode > 0 && (a.Open() || a.Phase == alert.Resolved) && !a.Since.After(begun) {
			out[episode{a.Key, a.Episode}] = a
		}
	}
	return out, err
}

// OpenItemsAt returns the items of a source that were open at a time, the newest first, at most
// limit. Closed items are kept for a year.
func (s *Store) OpenItemsAt(ctx context.Context, source string, at time.Time, limit int) ([]item.Item, error) {
	rows, err := query(ctx, s, "read the items that were open", scanItem, `
		select `+itemColumns+` from items where source = $1 and seen <= $2 and (closed is null or closed > $2)
		order by at desc nulls last, target, id limit $3`, source, stamp(at), limit)
	items := make([]item.Item, len(rows))
	for i, r := range rows {
		items[i] = r.Item
	}
	return items, err
}
