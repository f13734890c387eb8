package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	clocks   = 2 * time.Minute // how much Slack's clock and ours may differ
	maxEdits = 10              // posts that one batch edits
)

// settle looks for the messages of a lane of which it is not known whether Slack accepted
// them, and records those that it did. It returns the others. If a bot may not read the
// channel, and for a webhook, they are sent again, marked as possibly repeated. It returns
// none if Slack cannot be asked now. The error is the store's.
func (d *drain) settle(ctx context.Context, l lane, rows []alert.Message) (left []alert.Message, err error) {
	var attempted []alert.Message
	for _, m := range rows {
		if !m.Attempted.IsZero() {
			attempted = append(attempted, m)
		}
	}
	if len(attempted) == 0 || l.destination != alert.ToSlack || !d.slack.Bot() {
		return rows, nil
	}
	posts, err := d.posts(ctx, attempted)
	if err != nil {
		return nil, err
	}
	since := attempted[0].Attempted
	var threads []slack.Place
	for _, m := range attempted {
		if m.Attempted.Before(since) {
			since = m.Attempted
		}
		if p, ok := posts[alertOf(m)]; ok && !slices.Contains(threads, placeOf(p)) {
			threads = append(threads, placeOf(p))
		}
	}
	found, err := d.slack.Find(ctx, l.room, threads, since.Add(-clocks))
	switch {
	case slack.Closed(err):
		return rows, nil
	case err != nil:
		d.fail(err)
		next := d.now().Add(retryAfter(slack.FaultOf(err).After, attempted[0].Tries))
		return nil, d.st.Postpone(ctx, keysOf(attempted), d.redacted(err).Error(), true, next)
	}
	return d.record(ctx, rows, found)
}

// record records the messages that were found, and returns the others, which were not sent.
func (d *drain) record(ctx context.Context, rows []alert.Message, found map[string]slack.Place) (left []alert.Message, err error) {
	for _, m := range rows {
		at, ok := found[m.Key]
		switch {
		case ok:
			var posts []store.Post
			if at.TS != "" && m.Alert != nil && !over(m) {
				posts = append(posts, store.Post{Alert: m.Alert.Key, Episode: m.Alert.Episode, Channel: at.Channel, TS: at.TS})
			}
			err = errors.Join(err, d.st.Sent(ctx, []string{m.Key}, posts, d.now()))
			continue
		case !m.Attempted.IsZero():
			err = errors.Join(err, d.st.Missing(ctx, []string{m.Key}))
			m.Attempted = time.Time{}
		}
		left = append(left, m)
	}
	return left, err
}

// posts returns the latest post about each alert of these messages, by key.
func (d *drain) posts(ctx context.Context, rows []alert.Message) (map[string]store.Post, error) {
	var keys []string
	for _, m := range rows {
		if key := alertOf(m); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return d.st.Posts(ctx, keys)
}

// alertOf returns the key of the alert that a message is about; "" if it is about none.
func alertOf(m alert.Message) string {
	if m.Alert == nil {
		return ""
	}
	return m.Alert.Key
}

func placeOf(p store.Post) slack.Place { return slack.Place{Channel: p.Channel, TS: p.TS} }

// over reports whether a message says that an alert is over.
func over(m alert.Message) bool { return m.What == alert.Ended || m.What == alert.Unwatched }

// slackBatch sends messages to Slack as one. A webhook posts them. A bot first edits the
// posts about alerts of which a person was told before, then replies in their thread, or
// posts if they have none in common.
func (d *drain) slackBatch(ctx context.Context, l lane, rows []alert.Message) (again [][]alert.Message, err error) {
	post := func(m slack.Message) func() (slack.Place, error) {
		return func() (slack.Place, error) { return d.slack.Post(ctx, l.room, m) }
	}
	if !d.slack.Bot() {
		if isEdit(rows[0]) {
			return nil, d.st.Sent(ctx, keysOf(rows), nil, d.now()) // a webhook's message cannot be edited
		}
		return d.tell(ctx, l, rows, rows, post)
	}
	latest, err := d.posts(ctx, rows)
	if err != nil {
		return nil, err
	}
	follows, edited := followUps(rows, latest)
	about := func(at slack.Place) (out []alert.Message) { // the messages whose alerts a post is about
		for i, m := range rows {
			if follows[i] && placeOf(latest[alertOf(m)]) == at {
				out = append(out, m)
			}
		}
		return out
	}
	if len(edited) > maxEdits && len(rows) > 1 {
		half := len(rows) / 2
		return [][]alert.Message{rows[:half:half], rows[half:]}, nil
	}
	lost, again, err := d.edit(ctx, l, rows, edited, about)
	if err != nil || again != nil {
		return again, err
	}
	if isEdit(rows[0]) {
		return nil, d.st.Sent(ctx, keysOf(rows), nil, d.now())
	}
	var fresh []alert.Message
	for i, m := range rows {
		if !follows[i] && !over(m) {
			fresh = append(fresh, m)
		}
	}
	if len(edited) != 1 || slices.Contains(follows, false) || lost[edited[0]] {
		return d.tell(ctx, l, rows, fresh, post)
	}
	broadcast := slices.ContainsFunc(rows, func(m alert.Message) bool {
		return m.What != alert.Ended && m.What != alert.Unwatched || m.Alert.Severity == alert.Critical
	})
	return d.tell(ctx, l, rows, nil, func(m slack.Message) func() (slack.Place, error) {
		return func() (slack.Place, error) {
			err := d.slack.Reply(ctx, edited[0], broadcast, m)
			if slack.Gone(err) || slack.Left(err) {
				return d.slack.Post(ctx, l.room, m)
			}
			return slack.Place{}, err
		}
	})
}

// followUps returns which messages are about an alert of which a post told before, and
// these posts. An alert that an earlier message of the batch tells has no post yet.
func followUps(rows []alert.Message, latest map[string]store.Post) (follows []bool, posts []slack.Place) {
	first := map[string]bool{}
	for _, m := range rows {
		key := alertOf(m)
		p, posted := latest[key]
		follow := key != "" && posted && !first[key] && (m.Alert.Told != "" || isEdit(m))
		follows = append(follows, follow)
		switch {
		case !follow && key != "" && !isEdit(m):
			first[key] = true
		case follow && !slices.Contains(posts, placeOf(p)):
			posts = append(posts, placeOf(p))
		}
	}
	return follows, posts
}

// edit makes posts show their alerts as they are, and records that it is done for the
// messages about them. lost are those that Slack does not have any more. again is not nil if
// the lane waits.
func (d *drain) edit(ctx context.Context, l lane, rows []alert.Message, posts []slack.Place, about func(slack.Place) []alert.Message) (lost map[slack.Place]bool, again [][]alert.Message, err error) {
	lost = map[slack.Place]bool{}
	for _, at := range posts {
		if !slices.ContainsFunc(about(at), func(m alert.Message) bool { return m.Step == 0 }) {
			continue
		}
		if d.now().After(d.end.Add(leaseTime / 3)) { // the lease must last for the rest
			return nil, [][]alert.Message{}, nil
		}
		m, err := d.shows(ctx, at, about(at))
		if errors.Is(err, errNoPost) {
			lost[at] = true
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		err = d.slack.Update(ctx, at, m)
		if err != nil && slack.FaultOf(err).Bad {
			m.Blocks = nil
			err = d.slack.Update(ctx, at, m)
		}
		switch {
		case slack.Left(err): // it is edited after all if the message cannot be posted either
			lost[at] = true
			continue
		case slack.Gone(err), err != nil && slack.FaultOf(err).Bad:
			lost[at] = true
		case err != nil:
			again, err = d.failed(ctx, l, rows, err)
			return nil, again, err
		}
		if err := d.st.Step(ctx, keysOf(about(at)), 1); err != nil {
			return nil, nil, err
		}
	}
	return lost, nil, nil
}

// tell sends messages as one by post. fresh are those whose alerts the new post is about
// from now on.
func (d *drain) tell(ctx context.Context, l lane, rows, fresh []alert.Message, post func(slack.Message) func() (slack.Place, error)) ([][]alert.Message, error) {
	m := d.look().Message(d.shown(ctx, rows))
	m.Keys = keysOf(rows)
	return d.attempt(ctx, l, rows, func() ([]store.Post, error) {
		at, err := post(m)()
		if err != nil && slack.FaultOf(err).Bad {
			m.Blocks = nil
			d.sentTo(l, d.now())
			if !d.wait(ctx, pace) {
				return nil, err
			}
			at, err = post(m)()
		}
		var posts []store.Post
		for _, f := range fresh {
			if f.Alert != nil && at.TS != "" {
				posts = append(posts, store.Post{Alert: f.Alert.Key, Episode: f.Alert.Episode, Channel: at.Channel, TS: at.TS})
			}
		}
		return posts, err
	})
}
