package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// TestNoMessageBreaksSlacksLimits: texts of any length, names that end in an entity.
func TestNoMessageBreaksSlacksLimits(t *testing.T) {
	long := strings.Repeat("<&>", 5000)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	v := 1e9
	a := &alert.State{Key: strings.Repeat("k", 300), Phase: alert.Firing, Text: long, Value: &v, Limit: &v, Unit: long, Since: at, Good: &v, GoodAt: at,
		Spec: alert.Spec{Title: long, Next: long}, Subject: alert.Subject{Name: long, Room: long}}
	short := &alert.State{Key: "a/b", Phase: alert.Firing, Spec: alert.Spec{Title: "t"}, Subject: alert.Subject{Name: long}}
	l := Look{Page: "https://hearth.lan", Buttons: true, Redact: func(s string) string { return s }}
	for n := 1; n <= 20; n += 19 {
		for _, one := range []Shown{{Text: long, At: at}, {Alert: a, Text: long, At: at, Root: long, Dependants: []string{long, long}, Points: []float64{1, 2}}, {Alert: short, Text: long, At: at}} {
			var all []Shown
			for range n {
				all = append(all, one)
			}
			m := l.Message(all)
			b, err := json.Marshal(m.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			var blocks []struct {
				Text   struct{ Text string }
				Fields []struct{ Text string }
			}
			if err := json.Unmarshal(b, &blocks); err != nil || len(blocks) == 0 || len(blocks) > 50 || len([]rune(m.Text)) > 40_000 {
				t.Errorf("%d blocks, %d characters, %v", len(blocks), len([]rune(m.Text)), err)
			}
			for _, k := range blocks {
				texts := []string{k.Text.Text}
				for _, field := range k.Fields {
					texts = append(texts, field.Text)
				}
				for _, text := range texts {
					if len([]rune(text)) > 3000 || strings.HasSuffix(strings.TrimSuffix(text, "…"), "&am") {
						t.Errorf("%d characters: …%s", len([]rune(text)), text[len(text)-20:])
					}
				}
			}
		}
	}
}

func TestSpark(t *testing.T) {
	for want, values := range map[string][]float64{"▁▂▃▄▅▆▇█": {0, 1, 2, 3, 4, 5, 6, 7}, "▁▁": {5, 5}, "█▁": {9, -9}} {
		if got := spark(values); got != want {
			t.Errorf("%v: %s, want %s", values, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	if f := FaultOf(fmt.Errorf("slack: %w", fmt.Errorf("EOF"))); !f.Unknown || f.Bad {
		t.Errorf("%+v", f)
	}
}
