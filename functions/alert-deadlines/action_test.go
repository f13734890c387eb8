package function

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	actionToken = "the-token-of-actions"
	co2         = "air-co2-high/office-air/co2_ppm"
	failing     = "dead-letters/weather" // of a rule that no tick judges
)

// startActions is start with a token, and two alerts that fire.
func startActions(t *testing.T, upstream http.HandlerFunc) *fixture {
	t.Helper()
	h := start(t, "", upstream)
	h.Secret("alerts-token", actionToken)
	h.fire(&alert.House{}, "", co2, failing)
	return h
}

// fire lets alerts fire in a house, whose messages are of a group.
func (h *fixture) fire(house *alert.House, group string, keys ...string) {
	h.t.Helper()
	for _, o := range []alert.Observation{
		{Key: co2, Spec: alert.Spec{Rule: "air-co2-high", Title: "CO₂ is high", Severity: alert.Warning}, Subject: alert.Subject{Device: "office-air", Name: "Desk <air>", Room: "Office"}},
		{Key: failing, Spec: alert.Spec{Rule: "dead-letters", Title: "Messages are refused", Severity: alert.Critical}, Subject: alert.Subject{Function: "weather", Target: "home"}},
	} {
		if !slices.Contains(keys, o.Key) {
			continue
		}
		o.Verdict, o.At, o.Group = alert.Bad, morning.Add(-2*time.Hour), group
		err := h.Store.MoveAlerts(h.t.Context(), []string{o.Key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return house.Move(before, []alert.Observation{o}, o.At)
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// send posts a click, and returns the status and the answer.
func (h *fixture) send(k click, header ...string) (int, reply) {
	h.t.Helper()
	b, err := json.Marshal(k)
	if err != nil {
		h.t.Fatal(err)
	}
	r, w := httptest.NewRequest(http.MethodPost, "/action", strings.NewReader(string(b))), httptest.NewRecorder()
	r.Header.Set("Authorization", strings.Join(append([]string{}, header...), ""))
	if header == nil {
		r.Header.Set("Authorization", "Bearer "+actionToken)
	}
	h.Source.ServeHTTP(w, r)
	var a reply
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			h.t.Errorf("%v: %s", err, w.Body)
		}
	}
	return w.Code, a
}

// says sends a click and compares the answer's text.
func (h *fixture) says(k click, want ...string) {
	h.t.Helper()
	if k.At.IsZero() {
		k.At = h.Now()
	}
	k.User = "anna"
	code, a := h.send(k)
	for _, w := range want {
		if code != http.StatusOK || !strings.Contains(a.Text, w) {
			h.t.Errorf("%s%s: %d %q, want %q", k.ActionID, k.Text, code, a.Text, w)
		}
	}
}

func slash(text string) click { return click{ID: "1", Kind: "command", Command: "/hearth", Text: text} }

func push(id, value string) click {
	return click{ID: "1", Kind: "button", ActionID: id, Value: value, Channel: "C1", TS: "1"}
}

func TestAnActionNeedsTheToken(t *testing.T) {
	h := startActions(t, nil)
	for _, header := range []string{"", "Bearer ", "Bearer wrong", actionToken, "Basic " + actionToken} {
		if code, _ := h.send(push("hearth_ack", co2), header); code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, code)
		}
	}
	if code, _ := h.send(click{Kind: "wink"}); code != http.StatusBadRequest {
		t.Errorf("no click: %d", code)
	}
	h.Secret("alerts-token", "")
	if code, _ := h.send(push("hearth_ack", co2), "Bearer "); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", code)
	}
}

func TestButtons(t *testing.T) {
	h := startActions(t, nil)
	h.says(push("hearth_ack", co2), "Acknowledged by anna at 08:00")
	h.says(push("hearth_one", "silence|"+failing), "Silenced until 09:00 by anna")
	h.says(push("hearth_morning", co2), "Silenced until 07:00 on 29 November by anna")
	h.says(push("hearth_maintenance", co2), "In maintenance until 10:00 by anna")
	h.says(push("hearth_maintenance", failing), "is not about a device")
	h.says(push("hearth_ack", "*"), "no longer knows which alerts")
	h.says(push("hearth_dance", co2), `does not know the action "dance"`)
	h.says(push("other", co2), "does not know this button")
	h.says(push("hearth_one", "silence"), "does not know this button")
	states, err := h.Store.AlertsOf(t.Context(), []string{co2})
	dates, e := h.Store.UntilDates(t.Context(), morning)
	if err != nil || e != nil || states[co2].AckedBy != "anna" || len(dates) != 3 {
		t.Errorf("%+v %v, %v %v", states, dates, err, e)
	}
}

func TestCommands(t *testing.T) {
	h := startActions(t, nil)
	h.says(slash("status"), "*Critical*\n• Messages are refused: weather home, since 06:00 (2 h 0 min) `"+failing+"`\n*Warning*\n• CO₂ is high: Desk &lt;air&gt; (Office), since 06:00")
	h.says(slash("ack "+co2), "Acknowledged by anna", "CO₂ is high: Desk &lt;air&gt; (Office)")
	h.says(slash("status"), "acknowledged by anna")
	h.says(slash("silence office-air 2d"), "Silenced until 08:00 on 30 November by anna")
	h.says(slash("silence DESK <AIR> morning"), "Silenced until 07:00 on 29 November by anna")
	h.says(slash("silence `"+failing+"` 30m"), "Silenced until 08:30 by anna")
	h.says(slash("silence "+failing), "Silenced until 09:00 by anna")
	h.says(slash("status"), "silent until 09:00")
	h.says(slash("silence boiler"), `Nothing fires for "boiler"`)
	h.says(slash("maintenance room/Office 3h"), `knows no room "office"`)
	h.says(slash("maintenance boiler"), `knows no device "boiler"`)
	if err := h.Store.ConfigureDevices(t.Context(), []store.DeviceSetting{{Device: "office-air", Kind: "edge", Room: "Office"}}, morning); err != nil {
		t.Fatal(err)
	}
	h.says(slash("maintenance room/Office 3h"), "In maintenance until 11:00 by anna\n• room/office")
	h.says(slash("maintenance house/x"), "cannot be in maintenance")
	h.says(slash("maintenance "+co2), "In maintenance until 10:00 by anna\n• CO₂ is high")
	h.says(slash("endmaintenance office-air"), "No longer in maintenance by anna\n• device/office-air")
	h.says(slash("unsilence "+failing), "No longer silenced")
	h.says(slash("unack "+co2), "No longer acknowledged")
	h.says(slash("ack"), "Which one?")
	h.says(slash(""), "/hearth status")
	h.says(slash("help"), "/hearth status")
	h.says(slash("<dance>"), "does not know `&lt;dance&gt;`")
	h.says(slash("why boiler"), `no device of the id or name "boiler"`)
	h.says(slash("why office-air"), "It has never reported a value.", "What to do")
	for _, key := range []string{co2, failing} {
		s := alert.Observation{Key: key, Verdict: alert.Good, At: h.Now()}
		if err := h.Store.MoveAlerts(t.Context(), []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return (&alert.House{}).Move(before, []alert.Observation{s}, s.At)
		}); err != nil {
			t.Fatal(err)
		}
	}
	h.says(slash("status"), "Nothing fires")
}

func TestDrinkGoesToTheFunctionHealth(t *testing.T) {
	code, body, got := http.StatusNotFound, "", ""
	h := startActions(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(b)
		w.WriteHeader(code)
		io.WriteString(w, body)
	})
	h.says(slash("drink 250"), "health is not deployed")
	if !strings.HasPrefix(got, "/function/health/action Bearer "+actionToken) || !strings.Contains(got, `"text":"drink 250"`) {
		t.Errorf("health got %s", got)
	}
	code, body = http.StatusOK, `{"text":"250 ml: 1.2 of 2 l today"}`
	h.says(slash("drink 250"), "1.2 of 2 l")
	code, body = http.StatusBadRequest, "how much?"
	h.says(slash("drink"), "refused this: how much?")
	code = http.StatusServiceUnavailable
	if code, _ := h.send(slash("drink 250")); code != http.StatusServiceUnavailable {
		t.Errorf("%d", code)
	}
}

// TestAnActionWaitsForTheStore: it comes again.
func TestAnActionWaitsForTheStore(t *testing.T) {
	h := startActions(t, nil)
	h.Store.Close()
	for _, k := range []click{push("hearth_ack", co2), slash("status"), slash("why office-air"), slash("silence " + co2)} {
		k.At = h.Now()
		if code, _ := h.send(k); code != http.StatusServiceUnavailable {
			t.Errorf("%+v: %d", k, code)
		}
	}
}

// TestAButtonChangesItsMessage: the answer shows what was done, and then the message does,
// which the outbox edits.
func TestAButtonChangesItsMessage(t *testing.T) {
	for group, keys := range map[string][]string{"": {co2}, "run-1": {co2, failing}} {
		t.Run(strconv.Itoa(len(keys)), func(t *testing.T) {
			h := start(t, "", nil)
			slack := slacktest.New(t, h.Now)
			h.Secret("alerts-token", actionToken)
			h.Secret("slack-token", "xoxb-1-the-bots-token")
			h.Vars["SLACK_URL"], h.Vars["SLACK_BUTTONS"] = slack.URL+"/api/", "true"
			h.Build(New)
			h.fire(&alert.House{Destinations: []string{alert.ToSlack}, Mode: alert.Send}, group, keys...)
			h.tick(time.Minute)
			posted := slack.Messages()
			if len(posted) != 1 || !strings.Contains(posted[0].Blocks, "hearth_ack") {
				t.Fatalf("want one post: %+v", posted)
			}
			k := click{ID: "1", Kind: "button", ActionID: "hearth_ack", Value: co2, Channel: posted[0].Channel, TS: posted[0].TS, User: "anna", At: h.Now()}
			if group != "" {
				k.Value = "*"
			}
			code, a := h.send(k)
			blocks, err := json.Marshal(a.Blocks)
			if code != http.StatusOK || err != nil || !a.Replace || !strings.Contains(string(blocks), "cknowledged") || strings.Contains(string(blocks), "hearth_ack") || !strings.Contains(string(blocks), "hearth_silence") {
				t.Errorf("%d %v %+v %s", code, err, a, blocks)
			}
			h.tick(time.Minute)
			edited := slack.Messages()
			if len(edited) != len(posted) || edited[0].Edits == 0 || !strings.Contains(edited[0].Blocks, "cknowledged") || strings.Contains(edited[0].Blocks, "hearth_ack") {
				t.Errorf("the message is now %+v", edited[0])
			}
			if broken := slack.Broken(); len(broken) > 0 {
				t.Errorf("limits of Slack were broken: %q", broken)
			}
			if group == "" {
				return
			}
			k.ActionID, k.Value = "hearth_one", "silence|"+failing
			if _, a := h.send(k); !a.Replace {
				t.Errorf("the menu: %+v", a)
			}
			if dates, err := h.Store.UntilDates(t.Context(), h.Now()); err != nil || len(dates) != 1 || dates[0].Subject != failing {
				t.Errorf("%v %v", dates, err)
			}
		})
	}
}

// TestACommandMayNameWhatSlackEscapes: of "Desk <air>" Slack sends "Desk &lt;air&gt;".
func TestACommandMayNameWhatSlackEscapes(t *testing.T) {
	h := startActions(t, nil)
	h.says(slash("silence Desk &lt;air&gt; 1h"), "Silenced until 09:00 by anna\n• CO₂ is high: Desk &lt;air&gt; (Office)")
	k := push("hearth_ack", co2)
	k.User, k.At = "b\u202eert <!channel>", h.Now()
	if _, a := h.send(k); !strings.Contains(a.Text, "by b·ert &lt;!channel&gt; at") {
		t.Errorf("%q", a.Text)
	}
}
