package notify

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
)

func TestABotEditsThePostOfAnAlertAndRepliesInItsThread(t *testing.T) {
	for _, severity := range []alert.Severity{alert.Warning, alert.Critical} {
		t.Run(string(severity), func(t *testing.T) {
			f := start(t, bot)
			f.config.Slack.Buttons, f.config.Page = true, "https://hearth.lan/"
			var rs []reading.Reading
			for i := range 30 {
				rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": "office"}, Fields: map[string]float64{"co2_ppm": 900 + 20*float64(i)}, Time: noon.Add(time.Duration(i-30) * time.Minute)})
			}
			if err := f.st.Write(t.Context(), rs); err != nil {
				t.Fatal(err)
			}
			fire, clear := co2("office", alert.Bad, 1620, noon), co2("office", alert.Good, 800, noon.Add(time.Hour))
			fire.Severity, clear.Severity = severity, severity
			f.observe(fire)
			f.drain(time.Minute)
			m := f.expect("CO₂ is high: office air (office)")[0]
			for _, want := range []string{"*CO₂ is high* · office air (office)", "1,620 ppm (fires above 1,500 ppm)", "*Since*", "What to do* Open a window", "https://hearth.lan/?at=2026-11-23T12%3A00%3A00Z&amp;alert=air-co2-high%2Foffice%2Fco2_ppm",
				"Last 20 values", "▁", "█", "1,100 ppm to 1,480 ppm", `"hearth_ack"`, `"hearth_maintenance"`, `"value":"air-co2-high/office/co2_ppm"`} {
				if !strings.Contains(m.Blocks, want) && !strings.Contains(strings.ReplaceAll(m.Blocks, `\u0026`, "&"), want) {
					t.Errorf("no %s in %s", want, m.Blocks)
				}
			}
			f.later(time.Hour)
			f.observe(clear)
			f.drain(time.Minute)
			f.drain(time.Minute)
			ms := f.expect("Resolved: CO₂ is high", "Resolved: CO₂ is high")
			if ms[0].Edits != 1 || !strings.Contains(ms[0].Blocks, "*Lasted*\\n1 h 0 min") || !strings.Contains(ms[0].Blocks, "*Worst*\\n1,620 ppm") || strings.Contains(ms[0].Blocks, "hearth_ack") {
				t.Errorf("the edited post: %+v", ms[0])
			}
			if ms[1].Thread != ms[0].TS || ms[1].Broadcast != (severity == alert.Critical) {
				t.Errorf("the reply: %+v", ms[1])
			}
		})
	}
}

func TestAWebhookPostsTwice(t *testing.T) {
	f := start(t, map[string]string{"slack-webhooks": "default=http://slack/services/all; climate=http://slack/services/air"})
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.queue(f.house.News("feed/1", alert.Products, "a < b & <!channel>", false, noon)...)
	f.drain(time.Minute)
	f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
	f.drain(time.Minute)
	ms := f.expect("CO₂ is high", "a &lt; b &amp; &lt;!channel&gt;", "Resolved: CO₂ is high")
	if ms[0].Channel != "/services/air" || ms[1].Channel != "/services/all" || ms[2].Channel != "/services/air" {
		t.Errorf("%+v", ms)
	}
}

// TestTheEndIsToldAlsoWithoutThePost: the post was deleted, or may not be edited any more.
func TestTheEndIsToldAlsoWithoutThePost(t *testing.T) {
	for _, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed"} {
		f := start(t, bot)
		f.observe(co2("office", alert.Bad, 1620, noon))
		f.drain(time.Minute)
		first := f.expect("CO₂ is high")[0]
		f.slack.Answer = func(c slacktest.Call) *slacktest.Answer {
			if c.Method == "chat.update" {
				return &slacktest.Answer{Body: `{"ok":false,"error":"` + code + `"}`}
			}
			return nil
		}
		if code == "message_not_found" {
			f.slack.Delete(first.TS)
		}
		f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
		f.drain(time.Minute)
		if ms := f.slack.Messages(); !strings.HasPrefix(ms[len(ms)-1].Text, "Resolved") || len(f.left()) > 0 || len(f.slack.Broken()) > 0 {
			t.Errorf("%s: %+v, %s", code, ms, f.log.String())
		}
	}
}

// TestTheEndIsToldOnceAfterTheProviderWasAway: it comes back after hours, with the state of
// the alert long gone on.
func TestTheEndIsToldOnceAfterTheProviderWasAway(t *testing.T) {
	for name, secrets := range map[string]map[string]string{"bot": bot, "webhook": hook} {
		t.Run(name, func(t *testing.T) {
			f := start(t, secrets)
			f.observe(co2("office", alert.Bad, 1620, noon))
			f.drain(time.Minute)
			f.slack.Answer = func(slacktest.Call) *slacktest.Answer { return &slacktest.Answer{Status: 503, Body: "<html>"} }
			f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
			for range 100 {
				f.later(time.Minute)
				f.drain(20 * time.Second)
			}
			f.slack.Answer = nil
			f.later(time.Hour)
			f.drain(time.Minute)
			f.drain(time.Minute)
			ends := 0
			for _, m := range f.slack.Messages() {
				if strings.Contains(m.Text, "Resolved") && m.Edits == 0 {
					ends++
				}
			}
			if ends != 1 || len(f.left()) > 0 {
				t.Errorf("told %d times: %+v", ends, f.slack.Messages())
			}
		})
	}
}

// TestAKilledSenderSendsNothingTwice: the process dies between Slack's answer and our
// commit.
func TestAKilledSenderSendsNothingTwice(t *testing.T) {
	f := start(t, bot)
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.drainKilled("chat.postMessage")
	f.later(time.Minute)
	f.drain(time.Minute)
	f.expect("CO₂ is high")
	f.observe(co2("office", alert.Good, 800, f.later(time.Hour)))
	f.drainKilled("chat.update")
	f.drainKilled("chat.postMessage")
	f.later(time.Minute)
	f.drain(time.Minute)
	ms := f.expect("Resolved", "Resolved")
	if ms[1].Thread != ms[0].TS || len(f.left()) > 0 {
		t.Errorf("%+v", ms)
	}
}

func TestAKilledSenderRepeatsAtMostOnceByAWebhook(t *testing.T) {
	closed := start(t, bot)
	closed.slack.Closed["conversations.history"] = true // an app without the scope
	for _, f := range []*fixture{start(t, hook), closed} {
		f.observe(co2("office", alert.Bad, 1620, noon))
		method := "webhook"
		if f == closed {
			method = "chat.postMessage"
		}
		f.drainKilled(method)
		f.later(time.Minute)
		f.drain(time.Minute)
		f.drain(time.Minute)
		ms := f.expect("CO₂ is high", "possibly repeated")
		if strings.Contains(ms[0].Text, "possibly repeated") {
			t.Errorf("%+v", ms)
		}
	}
}

func TestAPoisonMessageIsSetAsideAlone(t *testing.T) {
	for name, secrets := range map[string]map[string]string{"bot": bot, "webhook": hook} {
		t.Run(name, func(t *testing.T) {
			f := start(t, secrets)
			f.slack.Answer = func(c slacktest.Call) *slacktest.Answer {
				switch {
				case !strings.Contains(c.Text, "poison"):
					return nil
				case c.Method == "webhook":
					return &slacktest.Answer{Status: 400, Body: "invalid_payload"}
				}
				return &slacktest.Answer{Body: `{"ok":false,"error":"msg_too_long"}`}
			}
			for i, text := range strings.Fields("a b c poison d e f g") {
				f.queue(f.house.News(text, alert.Products, text, false, noon.Add(time.Duration(i)*time.Millisecond))...)
			}
			f.later(time.Second)
			f.drain(time.Minute)
			var got []string
			for _, m := range f.slack.Messages() {
				got = append(got, strings.Fields(m.Text)...)
			}
			if strings.Join(got, " ") != "a b c d e f g" || len(f.left()) > 0 || strings.Count(f.log.String(), "set aside") != 1 || len(f.slack.Broken()) > 0 {
				t.Errorf("%v, %d left\n%s%v", got, len(f.left()), f.log.String(), f.slack.Broken())
			}
		})
	}
}

// TestAGroupIsOnePostThatShowsEachAlert: of a morning's digest, one alert ends, then a
// person acknowledges another.
func TestAGroupIsOnePostThatShowsEachAlert(t *testing.T) {
	f := start(t, bot)
	f.config.Slack.Buttons = true
	f.house.QuietHours = []alert.QuietHours{{From: 22 * time.Hour, To: 13 * time.Hour}}
	f.observe(co2("a", alert.Bad, 1600, noon), co2("b", alert.Bad, 1700, noon), co2("c", alert.Bad, 1800, noon))
	f.later(time.Hour)
	active, err := f.st.ActiveAlerts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, a := range active {
		keys = append(keys, a.Key)
	}
	if err := f.st.MoveAlerts(t.Context(), keys, func(map[string]alert.State) ([]alert.State, []alert.Message) {
		return f.house.Look(active, func(*alert.State) bool { return false }, f.now())
	}); err != nil {
		t.Fatal(err)
	}
	f.drain(time.Minute)
	m := f.expect("a air")[0]
	if !strings.Contains(m.Blocks, "3 alerts fire") || !strings.Contains(m.Blocks, `"hearth_one"`) || !strings.Contains(m.Blocks, `"silence|air-co2-high/b/co2_ppm"`) || !strings.Contains(m.Blocks, `"value":"*"`) {
		t.Errorf("%s", m.Blocks)
	}
	f.house.QuietHours = nil
	f.observe(co2("b", alert.Good, 700, f.later(time.Minute)))
	f.drain(time.Minute)
	ms := f.expect("a air", "Resolved: CO₂ is high: b air")
	if blocks := ms[0].Blocks; ms[1].Thread != ms[0].TS || strings.Count(blocks, "Resolved:") != 1 || !strings.Contains(blocks, "2 alerts fire") || strings.Contains(blocks, `silence|air-co2-high/b/`) {
		t.Errorf("%+v", ms)
	}
	key := "air-co2-high/c/co2_ppm"
	if err := f.st.MoveAlerts(t.Context(), []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		s := before[key].Acknowledge("anna", f.now())
		return []alert.State{s}, f.house.Edit(s, "", f.now())
	}); err != nil {
		t.Fatal(err)
	}
	f.drain(time.Minute)
	ms = f.expect("a air", "Resolved")
	if ms[0].Edits != 2 || strings.Count(ms[0].Blocks, "acknowledged") != 1 || strings.Contains(ms[0].Blocks, `ack|`+key) {
		t.Errorf("%+v", ms[0])
	}
	shown, err := f.sender().Shows(t.Context(), f.st, ms[0].Channel, ms[0].TS, f.now())
	if err != nil || !strings.Contains(shown.Text, "c air") || len(shown.Blocks) < 5 {
		t.Errorf("%+v, %v", shown, err)
	}
}

// TestAMessageWithoutAnAddressIsSetAside: it does not hold the others back.
func TestAMessageWithoutAnAddressIsSetAside(t *testing.T) {
	f := start(t, map[string]string{"slack-webhooks": "products=http://slack/services/news"})
	f.observe(co2("office", alert.Bad, 1620, noon))
	f.queue(f.house.News("feed/1", alert.Products, "news", false, noon)...)
	f.drain(time.Minute)
	f.expect("news")
	if len(f.left()) > 0 || !strings.Contains(f.log.String(), "no address is configured") {
		t.Errorf("%d left, log %s", len(f.left()), f.log.String())
	}
}

func TestNothingLeavesWithoutALeaveToDoSo(t *testing.T) {
	f := start(t, bot)
	sample := co2("office", alert.Bad, 1620, noon)
	sample.Sample = true
	f.observe(sample)
	f.queue(alert.Message{Key: "x", Destination: alert.ToSlack, Sample: true, Text: "sample", Created: noon}, alert.Message{Key: "y", Destination: alert.ToPage, Text: "shown", Created: noon})
	f.drain(time.Minute)
	f.expect()
	f.queue(f.house.News("feed/1", alert.Products, "news", false, noon)...)
	f.config.Mode = alert.Observe
	f.drain(time.Minute)
	f.expect()
	f.config.Mode = alert.Send
	f.drain(time.Minute)
	f.expect("news")
}

func TestNoSecretIsSent(t *testing.T) {
	f := start(t, bot)
	f.secrets["ntfy-token"] = "tk_geheimnis4711"
	o := co2("office", alert.Bad, 1620, noon)
	o.Text, o.Name, o.Next = "answered tk_geheimnis4711", "tk_geheimnis4711", "use tk_geheimnis4711"
	f.observe(o)
	f.drain(time.Minute)
	if m := f.expect("[secret]")[0]; strings.Contains(m.Text+m.Blocks, "geheimnis") {
		t.Errorf("%+v", m)
	}
}

func TestWhileAnotherSendsNothingIsSent(t *testing.T) {
	f := start(t, bot)
	f.observe(co2("office", alert.Bad, 1620, noon))
	fence, err := f.st.Lease(t.Context(), "notify", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f.drain(time.Minute)
	f.expect()
	if err := f.st.Release(context.Background(), "notify", fence); err != nil {
		t.Fatal(err)
	}
	f.drain(time.Minute)
	f.expect("CO₂")
}
