package notify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

const (
	alone     = 5  // as many messages of a lane are sent one by one; of more, several share a post
	postLimit = 20 // messages in one post
)

// lane is where messages wait for each other: a destination, and in Slack a room.
type lane struct{ destination, room string }

// split sorts messages into lanes, each in order.
func split(rows []alert.Message, laneOf func(*alert.Message) lane) map[lane][]alert.Message {
	out := map[lane][]alert.Message{}
	for _, m := range rows {
		l := laneOf(&m)
		out[l] = append(out[l], m)
	}
	for _, rows := range out {
		slices.SortStableFunc(rows, inOrder)
	}
	return out
}

// inOrder compares messages by age. Those of one alert are in the order of its notices.
func inOrder(a, b alert.Message) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	keyA, numberA := ofAlert(a.Key)
	keyB, numberB := ofAlert(b.Key)
	return cmp.Or(strings.Compare(keyA, keyB), cmp.Compare(numberA, numberB), strings.Compare(a.Key, b.Key))
}

// ofAlert returns the alert's key and the notice's number of a message's key: KEY#12@slack.
func ofAlert(key string) (string, int64) {
	if i := strings.LastIndexByte(key, '@'); i >= 0 {
		key = key[:i]
	}
	i := strings.LastIndexByte(key, '#')
	if i < 0 {
		return key, 0
	}
	number, _, _ := strings.Cut(key[i+1:], "/")
	n, _ := strconv.ParseInt(number, 10, 64)
	return key[:i], n
}

// heldUntil returns until when a lane waits, because a message of it failed; the zero time
// if it does not.
func heldUntil(rows []alert.Message, now time.Time) (until time.Time) {
	for _, m := range rows {
		if m.Tries > 0 && m.Due.After(now) && m.Due.After(until) {
			until = m.Due
		}
	}
	return until
}

// batches returns which messages of a lane are sent together. Messages of a group always
// are. If there are few, each of the others is sent alone, else up to 20 share a post. Edits
// stay alone. Messages of one alert stay in their order.
func batches(rows []alert.Message) [][]alert.Message {
	units := grouped(rows)
	if len(units) <= alone {
		return units
	}
	var out [][]alert.Message
	for _, u := range units {
		last := len(out) - 1
		if last < 0 || len(out[last])+len(u) > postLimit || isEdit(u[0]) != isEdit(out[last][0]) {
			out = append(out, u)
			continue
		}
		out[last] = append(slices.Clip(out[last]), u...)
	}
	return out
}

// grouped returns the messages one by one, but those of a group together, at most 20, at
// the place of its first. One that must come after another message of its alert keeps its
// place.
func grouped(rows []alert.Message) (units [][]alert.Message) {
	used := make([]bool, len(rows))
	for i, m := range rows {
		if used[i] {
			continue
		}
		unit := []alert.Message{m}
		used[i] = true
		passed := map[string]bool{}
		for j := i + 1; j < len(rows) && m.Group != "" && len(unit) < postLimit; j++ {
			if used[j] {
				continue
			}
			of, _ := ofAlert(rows[j].Key)
			if rows[j].Group == m.Group && !passed[of] {
				unit, used[j] = append(unit, rows[j]), true
			} else {
				passed[of] = true
			}
		}
		units = append(units, unit)
	}
	return units
}

func isEdit(m alert.Message) bool { return m.What == alert.Edited }

func keysOf(rows []alert.Message) []string {
	out := make([]string, len(rows))
	for i, m := range rows {
		out[i] = m.Key
	}
	return out
}
