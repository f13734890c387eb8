package deliver

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// TestAStateOfAnAlertIsPublishedOnce and again when it changes, when the broker did not take
// it, and when it is removed.
func TestAStateOfAnAlertIsPublishedOnce(t *testing.T) {
	var got []string
	refuse := false
	a := newAlerts(func(topic string, payload []byte, retained bool) bool {
		got = append(got, fmt.Sprint(topic, " ", string(payload), " ", retained))
		return !refuse
	})
	for i, step := range []struct {
		body    string
		refused bool
		want    []string
	}{
		{`{"alerts":{"co2/office":{"state":"firing"}}}`, false, []string{`hearth-alert/co2%2Foffice {"state":"firing"} true`}},
		{`{"alerts":{"co2/office":{"state":"firing"}}}`, false, nil},
		{`{"alerts":{"co2/office":{"state":"resolved"}}}`, true, []string{`hearth-alert/co2%2Foffice {"state":"resolved"} true`}},
		{`{}`, false, []string{`hearth-alert/co2%2Foffice {"state":"resolved"} true`}},
		{`{"alerts":{"co2/office":null}}`, false, []string{`hearth-alert/co2%2Foffice  true`}},
		{`{"alerts":{"co2/office":null}}`, false, nil},
		{`{"alerts":{"a+b#c%":{}}}`, false, []string{`hearth-alert/a%2Bb%23c%25 {} true`}},
		{`{"alerts":{"":{},"text":"x","list":[1]}}`, false, nil},
	} {
		got, refuse = nil, step.refused
		_, answer, _ := judge(http.StatusOK, []byte(step.body), nil)
		(&outputs{alerts: a}).forward(&consumer{}, answer)
		for topic, payload := range a.take() {
			a.done(topic, payload, a.publish(topic, payload, true))
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: published %q, want %q", i, got, step.want)
		}
	}
}
