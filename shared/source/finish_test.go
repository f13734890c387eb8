package source_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

func TestAFailureAlertsOnceAndResolvesOnce(t *testing.T) {
	broken := false
	s := thermometer("home", "cabin")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if broken {
			return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 500, Body: "oops <!channel> & more"}
		}
		return good(ctx, client, target, w)
	}
	h := start(t, s)
	for _, broken = range []bool{false, true, true, true, false, false} {
		h.Later(time.Hour)
		h.Post("")
	}
	if len(h.Messages) != 2 || !strings.Contains(h.Messages[0], "weather home\napi.example answered 500") || !strings.Contains(h.Messages[0], "weather cabin\napi.example answered 500") || strings.Count(h.Messages[1], "It lasted 3 h") != 2 {
		t.Errorf("messages %q; want one when it starts and one when it ends", h.Messages)
	}
	if !strings.Contains(h.Messages[0], "oops &lt;!channel&gt; &amp; more") {
		t.Errorf("the upstream's text is not escaped: %q", h.Messages[0])
	}
}

func TestAMessageSlackRefusesIsSentLater(t *testing.T) {
	s := thermometer("nowhere")
	h := start(t, s)
	h.SlackStatus = 500
	h.Post("")
	if len(h.Messages) != 0 {
		t.Fatalf("messages %q, want none", h.Messages)
	}
	h.SlackStatus = 0
	h.Later(2 * time.Hour)
	h.Post("")
	if len(h.Messages) != 1 {
		t.Errorf("messages %q, want the one that was kept in the outbox", h.Messages)
	}
	if strings.Contains(h.Log.String(), "s3cr3thook") {
		t.Error("the webhook is in the log")
	}
}

func TestAlertAfterDelaysTheAlert(t *testing.T) {
	s := thermometer("nowhere")
	s.AlertAfter = func(error) time.Duration { return 7 * 24 * time.Hour }
	h := start(t, s)
	for day := range 10 {
		h.Post("")
		if want := 0; day < 7 && len(h.Messages) != want {
			t.Errorf("day %d: messages %q, want none before day 7", day, h.Messages)
		}
		h.Later(24 * time.Hour)
	}
	if len(h.Messages) != 3 || !strings.HasPrefix(h.Messages[2], "Still firing: ") {
		t.Errorf("messages %q, want one after a week, and a reminder on each of the next two days", h.Messages)
	}
}

func TestAnItemNotifiesOnce(t *testing.T) {
	s := thermometer("home")
	on := true
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		b := source.Batch{Complete: true}
		if on {
			b.Items = []item.Item{{ID: "1", Title: "Pi 5 in stock"}}
		}
		return b, nil
	}
	s.Notify = func(c item.Change) (string, bool) { return fmt.Sprint(c.Item.Title, " ", c.Opened), true }
	s.NotifyOnce = func(item.Item) bool { return true }
	h := start(t, s)
	for _, there := range []bool{true, true, false, true, true} {
		on = there
		h.Later(time.Hour)
		h.Post("")
	}
	if fmt.Sprint(h.Messages) != "[Pi 5 in stock true]" {
		t.Errorf("messages %q, want one", h.Messages)
	}
}

// TestANearlySpentQuotaIsAnAlert while the schedule still needs calls in its window, until the
// next one.
func TestANearlySpentQuotaIsAnAlert(t *testing.T) {
	h := start(t, thermometer("home"))
	h.Vars["SCHEDULE"] = "0 * * * *"
	s := requesting(h, thermometer("home"))
	s.Quota = func(string) *store.Quota { return &store.Quota{Key: "api", Limit: 10, Window: 24 * time.Hour} }
	h.Build(of(s))
	var told []string
	for hour := range 14 { // from 13:00 to 02:00
		h.Later(time.Hour)
		h.Post("", "X-Connector", "cron-connector")
		for _, m := range h.Messages {
			for line := range strings.SplitSeq(m, "\n") {
				if strings.Contains(line, "The quota is nearly spent") {
					told = append(told, fmt.Sprintf("%d: %s", (13+hour)%24, line))
				}
			}
		}
		h.Messages = nil
	}
	if got := strings.Join(told, "|"); got != "21: The quota is nearly spent: api|0: Resolved: The quota is nearly spent: api" {
		t.Errorf("told %q", got)
	}
}
