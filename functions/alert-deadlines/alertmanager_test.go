package function

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

const alertsToken = "t0k3n0fal3rts"

// webhook posts to /alertmanager and returns the status and the new messages.
func (h *fixture) webhook(token, body string) (int, []string) {
	h.t.Helper()
	r, w := httptest.NewRequest("POST", "/alertmanager", strings.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer "+token)
	h.Source.ServeHTTP(w, r)
	ms := slices.Clone(h.Messages)
	h.Messages = nil
	return w.Code, ms
}

func TestAlertsOfAlertmanagerFireAndResolveOnce(t *testing.T) {
	h := start(t, "", nil)
	h.Secret("alerts-token", alertsToken)
	firing := string(sourcetest.File(t, "alertmanager.json"))
	again := strings.Replace(firing, "06:40:00.123", "07:40:00", 1)
	resolved := strings.Replace(strings.Replace(firing, `"status": "firing",
      "labels"`, `"status": "resolved",
      "labels"`, 1), "0001-01-01T00:00:00Z", "2031-11-28T07:00:00Z", 1)
	for i, c := range []struct{ body, want string }{
		{firing, "KubeNodeNotReady: pi4\nNode is not ready."}, {firing, ""},
		{resolved, "Resolved: KubeNodeNotReady: pi4"}, {resolved, ""}, {firing, ""}, // a late repetition
		{again, "KubeNodeNotReady: pi4"},
	} {
		code, ms := h.webhook(alertsToken, c.body)
		if code != 200 || len(ms) != min(len(c.want), 1) || len(ms) > 0 && !strings.Contains(ms[0], c.want) {
			t.Errorf("%d: %d %q, want %q", i, code, ms, c.want)
		}
	}
}

func TestOnlyAlertmanagerWithTheTokenIsHeard(t *testing.T) {
	h := start(t, "", nil)
	firing := string(sourcetest.File(t, "alertmanager.json"))
	if code, _ := h.webhook("", firing); code != 401 {
		t.Errorf("without a secret: %d", code)
	}
	h.Secret("alerts-token", alertsToken)
	for body, want := range map[string]int{firing: 401, "{}": 401} {
		if code, ms := h.webhook("wrong", body); code != want || len(ms) > 0 {
			t.Errorf("%d %q", code, ms)
		}
	}
	for _, body := range []string{"", "{}", "[]", `{"alerts":[{"status":"firing","fingerprint":"../x","startsAt":"2031-11-28T07:40:00Z"}]}`,
		`{"alerts":[{"status":"perhaps","fingerprint":"a","startsAt":"2031-11-28T07:40:00Z"}]}`, `{"alerts":[{"status":"firing","fingerprint":"a"}]}`} {
		if code, ms := h.webhook(alertsToken, body); code != 400 || len(ms) > 0 {
			t.Errorf("%s: %d %q", body, code, ms)
		}
	}
}

func FuzzAlertmanager(f *testing.F) {
	f.Add([]byte(`{"alerts":[{"status":"firing","labels":{"alertname":"a","severity":"page"},"fingerprint":"ab","startsAt":"2031-11-28T07:40:00Z"}]}`))
	f.Add([]byte(`{"alerts":[{"status":"resolved","annotations":{"summary":"\ud800 a\nb"},"fingerprint":"ab","startsAt":"2031-11-28T07:40:00Z","endsAt":"9999-12-31T23:59:59Z"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := decodeWebhook(body, alert.Spec{Rule: "alertmanager", Title: "Alertmanager"})
		if err != nil && found != nil || len(found) > maxAlerts {
			t.Fatalf("%d alerts, %v", len(found), err)
		}
		for _, o := range found {
			if !strings.HasPrefix(o.Key, "alertmanager/") || len(o.Key) > 80 || o.At.IsZero() || o.Title == "" || len(o.Title)+len(o.Name) > 2*maxTitle+8 || len(o.Text)+len(o.Next) > 2*maxText+8 {
				t.Errorf("%+v", o)
			}
		}
	})
}
