package store_test

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// One more statement of InfluxDB 1.8 takes as long as 1,500 readings.
func TestReadingsAreFasterWhereTheyAreFew(t *testing.T) {
	s := backends[1].open(t)
	name := measurement(t)
	rows := rowsOf(map[string]string{"device": "a"}, "v", hour, store.Hour, 10)
	for n := range rows.Rows {
		rows.Rows[n].Count = 1000
	}
	writeRollups(t, s, store.Hour, name, rows)
	q := store.Query{Name: name, From: hour, To: hour.Add(9 * time.Hour), Step: 90 * time.Minute} // 9,000 readings
	for spans, want := range map[int]bool{5: false, 7: true} {
		if got, err := s.ReadingsAreFaster(t.Context(), store.Hour, q, spans); err != nil || got != want {
			t.Errorf("than %d spans: %v, %v", spans, got, err)
		}
	}
	q.Fields = []string{"w"}
	if got, err := s.ReadingsAreFaster(t.Context(), store.Hour, q, 1); err != nil || !got {
		t.Errorf("of a field without readings: %v, %v", got, err)
	}
}
