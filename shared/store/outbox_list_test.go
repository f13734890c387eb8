package store_test

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

func TestTheOutboxListsWhatBecameOfItsMessages(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		key := `air-co2-high/böse%_'büro`
		m := func(n string, value float64, at time.Time) alert.Message {
			return alert.Message{Key: key + "#" + n + "@slack", Destination: alert.ToSlack, Channel: alert.Climate, What: alert.Fired,
				Alert: &alert.State{Key: key, Value: &value}, Text: n, Created: at}
		}
		news := alert.Message{Key: key + "#0/news@page", Destination: alert.ToPage, Channel: alert.Products, What: alert.News, Text: "news", Sample: true, Created: noon.Add(3 * time.Minute)}
		other := m("9", 9, noon.Add(time.Minute))
		other.Key = key + "/other#1@slack"
		err := s.MoveAlerts(t.Context(), []string{key}, func(map[string]alert.State) ([]alert.State, []alert.Message) {
			return nil, []alert.Message{m("1", 1, noon), m("2", 2, noon.Add(2*time.Minute)), news, other}
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Sent(t.Context(), []string{m("1", 1, noon).Key}, nil, noon.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := s.Postpone(t.Context(), []string{m("2", 2, noon).Key}, "no answer", false, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Outbox(t.Context(), 10)
		if err != nil || len(got) != 4 {
			t.Fatalf("%+v, %v", got, err)
		}
		if q := got[0]; q.Text != "news" || q.Alert != nil || !q.Sample || !q.Sent.Equal(q.Created) {
			t.Errorf("the newest: %+v", q)
		}
		if q := got[1]; q.Text != "2" || q.Tries != 1 || q.Reason != "no answer" || !q.Due.Equal(noon.Add(time.Hour)) || q.Alert == nil || *q.Alert.Value != 2 {
			t.Errorf("the postponed one: %+v", q)
		}
		if q := got[3]; q.Text != "1" || !q.Sent.Equal(noon.Add(time.Second)) {
			t.Errorf("the sent one: %+v", q)
		}
		if few, err := s.Outbox(t.Context(), 2); err != nil || len(few) != 2 {
			t.Errorf("%d of 2, %v", len(few), err)
		}
		for at, want := range map[time.Duration]float64{-time.Second: 0, 0: 1, time.Minute: 1, 2 * time.Minute: 2, time.Hour: 2} {
			a, err := s.AlertAt(t.Context(), key, noon.Add(at))
			if err != nil || (a == nil) != (want == 0) || a != nil && *a.Value != want {
				t.Errorf("after %s: %+v, %v; want the value %v", at, a, err, want)
			}
		}
	})
}
