package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// acknowledge moves the alerts. One that has resolved since the person acted, or has fired
// again, is left as it is: the person did not mean that.
func (a Action) acknowledge(ctx context.Context, st *store.Store, h *alert.House, found []alert.State, episodes map[string]int64) (Answer, error) {
	var done []alert.State
	err := move(ctx, st, found, func(before map[string]alert.State) (changed []alert.State, messages []alert.Message) {
		done = nil
		for _, was := range found {
			s := before[was.Key]
			if n, ok := episodes[s.Key]; !s.Open() || ok && n != s.Episode || s.Fired.After(a.At) {
				continue
			}
			next := s.Acknowledge(a.By, a.At)
			if a.Do == Unack {
				next = s.Unacknowledge(a.At)
			}
			if !next.Acked.Equal(s.Acked) {
				changed = append(changed, next)
			}
			messages = append(messages, h.Edit(next, a.ackNote(h, &next), a.At)...)
			done = append(done, next)
		}
		return changed, messages
	})
	if err != nil {
		return Answer{}, err
	}
	if len(done) == 0 {
		return Answer{}, refuse("%s does not fire any more, or fired again after that: nothing was done.", titles(found))
	}
	return Answer{Note: a.ackNote(h, &done[0]), Alerts: done}, nil
}

// move is store.MoveAlerts with the keys of these alerts. It tries again if another
// transaction was first.
func move(ctx context.Context, st *store.Store, found []alert.State, fn store.Move) error {
	keys := make([]string, len(found))
	for i, s := range found {
		keys[i] = s.Key
	}
	for try := 0; ; try++ {
		err := st.MoveAlerts(ctx, keys, fn)
		if err == nil || !errors.Is(err, store.ErrMoved) || try == 3 {
			return err
		}
	}
}

// ackNote says who acknowledged an alert. Somebody else may have been first.
func (a Action) ackNote(h *alert.House, s *alert.State) string {
	if s.Acked.IsZero() {
		return fmt.Sprintf("No longer acknowledged%s", by(a.By))
	}
	return fmt.Sprintf("Acknowledged%s at %s: no more reminders until it resolves", by(s.AckedBy), h.When(s.Acked, s.Acked))
}

// edit queues the messages that draw the posts of the alerts again.
func (a Action) edit(ctx context.Context, st *store.Store, h *alert.House, found []alert.State, note string) (Answer, error) {
	answer := Answer{Note: note}
	if len(found) == 0 {
		return answer, nil
	}
	err := move(ctx, st, found, func(before map[string]alert.State) (_ []alert.State, messages []alert.Message) {
		answer.Alerts = nil
		for _, was := range found {
			s := before[was.Key]
			if (a.Do == Maintenance || a.Do == EndMaintenance) && s.Device == "" {
				continue
			}
			messages = append(messages, h.Edit(s, note, a.At)...)
			answer.Alerts = append(answer.Alerts, s)
		}
		return nil, messages
	})
	return answer, err
}

// note says what a silence or maintenance is.
func (a Action) note(h *alert.House, until, now time.Time) string {
	switch a.Do {
	case Silence, Morning:
		return fmt.Sprintf("Silenced until %s%s", h.When(until, now), by(a.By))
	case Unsilence:
		return "No longer silenced" + by(a.By)
	case Maintenance:
		return fmt.Sprintf("In maintenance until %s%s", h.When(until, now), by(a.By))
	}
	return "No longer in maintenance" + by(a.By)
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
}

// titles names alerts for a person: at most three.
func titles(states []alert.State) string {
	var names []string
	for _, s := range states {
		name := s.Title
		if name == "" {
			name = s.Rule
		}
		if of := s.Subject.Label(); of != "" {
			name += ": " + of
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - 3; more > 0 {
		names = append(names[:3], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
