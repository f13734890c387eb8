package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// The query of every alert rule answers numbers, each with other labels: Grafana refuses
// two with the same.
func TestAlertQueriesAnswer(t *testing.T) {
	w := theWorld(t)
	c := w.connect(t)
	for _, r := range rules(t) {
		for _, q := range r.Data {
			if q.Model.Type != "" {
				continue
			}
			v := view{from: noon.Add(-time.Duration(q.Range.From) * time.Second), to: noon.Add(-time.Duration(q.Range.To) * time.Second), interval: time.Minute}
			target := targetJSON{Query: q.Model.Query, RawSQL: q.Model.RawSQL, Format: q.Model.Format}
			frames, err := w.answer(t, c, v, target)
			if err == nil {
				err = checkFrames(panelJSON{Type: "alert"}, frames)
			}
			if err == nil {
				err = judged(frames)
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", r.UID, err, w.sent(v, target))
			}
		}
	}
}

// judged checks that frames have the form that expressions read: numbers over time, or a
// table with one column of numbers beside texts, no two rows of which have the same texts.
func judged(frames []frame) error {
	for _, f := range frames {
		texts := map[string]bool{}
		for _, row := range f.rows {
			numbers, key := 0, ""
			for i, v := range row {
				switch v := v.(type) {
				case time.Time:
				case string:
					if f.labels != nil { // in a series a text is no number
						return fmt.Errorf("the value %q is a text", v)
					}
					key += f.columns[i] + "=" + v + " "
				case nil:
					return fmt.Errorf("a value of %v is null", f.columns)
				default:
					numbers++
				}
			}
			if numbers != 1 {
				return fmt.Errorf("%d numbers in a row of %v", numbers, f.columns)
			}
			if f.labels == nil && texts[key] {
				return fmt.Errorf("two rows are called %s", key)
			}
			texts[key] = true
		}
	}
	return nil
}

// Every default alert of the catalogue that needs nothing that Grafana does not know has
// its rule, with the same thresholds, and every rule is one of them or about hearth itself.
func TestAlertThresholdsAreThoseOfTheCatalogue(t *testing.T) {
	left := map[string]ruleYAML{}
	for _, r := range rules(t) {
		left[r.UID] = r
	}
	for _, m := range catalogue.All() {
		for _, f := range m.Fields {
			for _, threshold := range append([]catalogue.Threshold{f.Warn}, f.Alerts...) {
				if known := threshold.Where == catalogue.Anywhere && threshold.Device == "" && threshold.Away != catalogue.AwayOnly && threshold.Instead == ""; !known {
					continue
				}
				for side, wanted := range map[string]bool{"gt": threshold.HasAbove, "lt": threshold.HasBelow} {
					if !wanted {
						continue
					}
					uid := ruleFor(left, m, f, threshold, side)
					if uid == "" {
						t.Errorf("no rule for %s.%s: %+v", m.Name, f.Key, threshold)
					}
					delete(left, uid)
				}
			}
		}
	}
	for uid := range left {
		if uid != "hearth-silent" && uid != "hearth-overdue" {
			t.Errorf("the rule %s is of no default alert", uid)
		}
	}
}

// ruleFor returns the uid of the rule for a threshold, "" if there is none.
func ruleFor(rules map[string]ruleYAML, m catalogue.Measurement, f catalogue.Field, threshold catalogue.Threshold, side string) string {
	enter, leave := threshold.Above, threshold.Above-threshold.Hysteresis
	if side == "lt" {
		enter, leave = threshold.Below, threshold.Below+threshold.Hysteresis
	}
	severity := "warning"
	if threshold.Critical {
		severity = "critical"
	}
	for uid, r := range rules {
		held, _ := time.ParseDuration(r.For)
		q, condition := r.Data[0].Model.Query, r.Data[len(r.Data)-1].Model.Conditions
		if len(condition) != 1 || !strings.Contains(q, `"`+m.Name+`"`) || !strings.Contains(q, f.Key) || held != threshold.For || r.Labels["severity"] != severity {
			continue
		}
		begins, ends := condition[0].Evaluator, condition[0].UnloadEvaluator
		if begins.Type != side || len(begins.Params) != 1 || begins.Params[0] != enter {
			continue
		}
		if len(ends.Params) == 0 && leave == enter || len(ends.Params) == 1 && ends.Params[0] == leave && ends.Type != side {
			return uid
		}
	}
	return ""
}
