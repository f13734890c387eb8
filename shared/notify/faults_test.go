package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

// TestThePostOfAnEpisodeThatIsOverShowsItsEnd: the end and the next beginning are told in
// one message, with others.
func TestThePostOfAnEpisodeThatIsOverShowsItsEnd(t *testing.T) {
	f := start(t, bot)
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.drain(time.Minute)
	f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
	at := f.later(time.Minute)
	f.observe(co2("office", alert.Bad, 1700, at))
	for i := range alone {
		f.observe(co2(fmt.Sprint("room", i), alert.Bad, 1700, at))
	}
	f.drain(time.Minute)
	if ms := f.expect("Resolved: CO₂ is high: office air", "CO₂ is high: office air"); !strings.Contains(ms[0].Text, "from 12:00 to 13:00") || !strings.Contains(ms[1].Text, "1,700 ppm") {
		t.Errorf("%+v", ms)
	}
}

// TestAFormerChannelHoldsNothingBack: the post is in a channel in which the bot can no
// longer write, and the settings name another one.
func TestAFormerChannelHoldsNothingBack(t *testing.T) {
	for _, code := range []string{"is_archived", "channel_not_found", "not_in_channel"} {
		for _, method := range []string{"", "chat.postMessage"} {
			f := start(t, bot)
			f.observe(co2("office", alert.Bad, 1620, noon))
			f.drain(time.Minute)
			former := f.slack.Messages()[0].Channel
			f.config.Slack.Channel = "#new"
			f.slack.Answer = func(c slacktest.Call) *slacktest.Answer {
				if c.Channel == former && (method == "" || c.Method == method) {
					return &slacktest.Answer{Body: `{"ok":false,"error":"` + code + `"}`}
				}
				return nil
			}
			f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
			f.observe(co2("attic", alert.Bad, 1800, f.later(time.Minute)))
			f.drain(time.Minute)
			if ms := f.slack.Messages(); len(ms) != 3 || len(f.left()) > 0 || !strings.Contains(ms[1].Text, "Resolved") || ms[1].Channel == former {
				t.Errorf("%s of %q: %d left, %+v\n%s", code, method, len(f.left()), ms, f.log.String())
			}
		}
	}
}

func TestALongPostCanBeEdited(t *testing.T) {
	f := start(t, bot)
	for i := range postLimit {
		o := co2(fmt.Sprint("room", i), alert.Bad, 1620, noon)
		o.Text = strings.Repeat("ü&", 200)
		f.observe(o)
	}
	f.drain(time.Minute)
	f.observe(co2("room1", alert.Good, 800, f.later(time.Hour)))
	f.drain(time.Minute)
	if ms := f.expect("CO₂ is high: room0", "Resolved: CO₂ is high: room1"); ms[0].Edits != 1 || ms[1].Thread != ms[0].TS || !strings.Contains(ms[0].Blocks, "Resolved") {
		t.Errorf("%+v", ms)
	}
}

// TestARedirectLosesNoMessage: after a 301, an HTTP client gets the address, without a
// message, and the answer to that may be 200.
func TestARedirectLosesNoMessage(t *testing.T) {
	for code, arrives := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		f := start(t, map[string]string{"alert-webhook": "http://push/hook"})
		from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, f.push.URL+"/secret-path", code)
		}))
		t.Cleanup(from.Close)
		f.secrets["alert-webhook"], f.secrets["slack-webhooks"] = from.URL+"/hook", from.URL+"/services/x"
		f.house = *f.sender().House()
		f.observe(co2("office", alert.Bad, 1620, noon))
		f.drain(time.Minute)
		if left := len(f.left()); arrives != (len(f.pushed) == 2) || arrives != (left == 0) || strings.Contains(f.log.String(), "secret-path") {
			t.Errorf("%d: arrived %q, %d left\n%s", code, f.pushed, left, f.log.String())
		}
	}
}

func TestNoErrorHoldsAnAddress(t *testing.T) {
	for _, name := range []string{"alert-webhook", "slack-webhooks"} {
		f := start(t, map[string]string{name: "http://me:sec-pass-word@127.0.0.1:1/abc?k=x"})
		f.house = *f.sender().House()
		f.observe(co2("office", alert.Bad, 1620, noon))
		f.drain(time.Minute)
		queued, err := f.st.Outbox(t.Context(), 10)
		if err != nil || len(queued) != 1 || !strings.Contains(queued[0].Reason, "refused") || strings.Contains(queued[0].Reason+f.log.String(), "/abc") {
			t.Errorf("%s: %v, %+v\n%s", name, err, queued, f.log.String())
		}
	}
}

// TestNtfyTakesEveryMessage: it refuses JSON of more than 8,192 bytes, and cuts nothing that
// a person should read.
func TestNtfyTakesEveryMessage(t *testing.T) {
	f := start(t, nil)
	f.config.Ntfy.URL, f.config.Ntfy.Topic = f.push.URL, "home-4711"
	f.house = *f.sender().House()
	f.queue(f.house.News("feed/1", alert.Products, strings.Repeat("long <title> ", 700)+"\n"+strings.Repeat("\x01<&>\"", 1500), false, noon)...)
	f.drain(time.Minute)
	for i := range postLimit {
		o := co2(fmt.Sprint("room", i), alert.Bad, 1620, noon)
		o.Text = strings.Repeat("x", 400)
		f.observe(o)
	}
	f.drain(time.Minute)
	all := ""
	for _, p := range f.pushed {
		var n notification
		body := p[strings.Index(p, "{"):]
		if err := json.Unmarshal([]byte(body), &n); err != nil || len(body) > 8192 || len(n.Message) > 4096 || len(n.Title) > 300 {
			t.Errorf("%v: %d bytes, a title of %d and a message of %d", err, len(body), len(n.Title), len(n.Message))
		}
		all += n.Title + "\n" + n.Message + "\n"
	}
	for i := range postLimit {
		if part := fmt.Sprintf("CO₂ is high: room%d air", i); strings.Count(all, part) != 1 {
			t.Errorf("%q is there %d times", part, strings.Count(all, part))
		}
	}
}

func TestTheNameOfATopicIsChecked(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "home-4711_x": true, "my topic": false, "home/x": false, strings.Repeat("x", 65): false} {
		var got topic
		if err := got.UnmarshalText([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestAForeignNameChangesNothingAroundIt: a device names itself so that it begins a line, is
// read backwards, mentions everybody, and ends no quotation of JSON.
func TestAForeignNameChangesNothingAroundIt(t *testing.T) {
	f := start(t, map[string]string{"slack-token": "xoxb-1-2-3"})
	f.config.Slack.Buttons, f.config.Ntfy.URL, f.config.Ntfy.Topic = true, f.push.URL, "home"
	f.house = *f.sender().House()
	for i, room := range []string{"one", "office", "attic"} {
		o := co2(room, alert.Bad, 1620, noon)
		o.Name, o.Key = "x\n:red_circle: *Fire* <!channel> \u202e\"}]"+strings.Repeat("n", 3000), o.Key+"|*`\"<&"
		o.Text = "sensor says \u202egnp.exe\x1b[31m"
		if i > 0 {
			o.Group = "g"
		}
		f.observe(o)
	}
	f.drain(time.Minute)
	ms := f.expect("CO₂ is high", "CO₂ is high")
	sent := fmt.Sprint(ms, f.pushed)
	for _, bad := range []string{"\u202e", "\n:red_circle: *Fire*", `\n:red_circle: *Fire*`, "<!channel>:", "\x1b", `\u001b`} {
		if strings.Contains(sent, bad) {
			t.Errorf("%q is in %s", bad, sent)
		}
	}
	for _, m := range ms {
		if !json.Valid([]byte(m.Blocks)) || !strings.Contains(m.Blocks, "hearth_") || !strings.Contains(m.Text, "&lt;!channel&gt;") {
			t.Errorf("%s", m.Blocks)
		}
	}
}

// TestAPostThatTellsAnEndTooHasNoButtonsForThatAlert: it fired and ended before anything
// was sent.
func TestAPostThatTellsAnEndTooHasNoButtonsForThatAlert(t *testing.T) {
	f := start(t, bot)
	f.config.Slack.Buttons = true
	for i := range alone {
		f.observe(co2(fmt.Sprint("room", i), alert.Bad, 1620, noon))
	}
	f.observe(co2("room0", alert.Good, 800, f.later(time.Minute)))
	f.drain(time.Minute)
	m := f.expect("CO₂ is high: room0")[0]
	if !strings.Contains(m.Blocks, "*6 messages*, 4 alerts fire") || !strings.Contains(m.Blocks, "ack|air-co2-high/room1/") || strings.Contains(m.Blocks, "ack|air-co2-high/room0/") {
		t.Error(m.Blocks)
	}
}

// TestTwoClocksKeepTheOrder: the machine that saw the beginning is 4 s ahead of the one
// that sees the end and sends.
func TestTwoClocksKeepTheOrder(t *testing.T) {
	f := start(t, bot)
	f.later(4 * time.Second)
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.later(-3 * time.Second)
	f.observe(co2("office", alert.Good, 800, noon.Add(time.Second)))
	for range 5 {
		f.drain(time.Second)
		f.later(2 * time.Second)
	}
	if ms := f.expect("Resolved: CO₂ is high", "Resolved: CO₂ is high"); ms[0].Edits != 1 || ms[1].Thread != ms[0].TS {
		t.Errorf("%+v", ms)
	}
}
