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
)

func TestSlackHearsOnceOfAFailureAndOnceOfItsEnd(t *testing.T) {
	broken := false
	s := thermometer("home", "cabin")
	good := s.Fetch
	s.Fetch = func(ctx context.Context, client *fetch.Client, target string, w source.Window) (source.Batch, error) {
		if broken {
			return source.Batch{}, &fetch.StatusError{Host: "api.example", Code: 500, Body: "<oops> & more"}
		}
		return good(ctx, client, target, w)
	}
	h := start(t, s)
	for _, broken = range []bool{false, true, true, true, false, false} {
		h.Later(time.Hour)
		h.Post("")
	}
	if len(h.Told) != 2 || !strings.Contains(h.Told[0], "home, cabin: api.example answered 500") || !strings.Contains(h.Told[1], "works again after 3 h") {
		t.Errorf("told %q; want one start and one end", h.Told)
	}
	if !strings.Contains(h.Told[0], "&lt;oops&gt; &amp; more") {
		t.Errorf("foreign text is not escaped: %q", h.Told[0])
	}
}

func TestAMessageSlackRefusesIsSentLater(t *testing.T) {
	s := thermometer("nowhere")
	h := start(t, s)
	h.Refusal = 500
	h.Post("")
	if len(h.Told) != 0 {
		t.Fatalf("told %q", h.Told)
	}
	h.Refusal = 0
	h.Later(2 * time.Hour)
	h.Post("")
	if len(h.Told) != 1 {
		t.Errorf("told %q, want the one that was kept", h.Told)
	}
	if strings.Contains(h.Log.String(), "s3cr3thook") {
		t.Error("the webhook is in the log")
	}
}

func TestPatienceHoldsTheMessageBack(t *testing.T) {
	s := thermometer("nowhere")
	s.Patience = func(error) time.Duration { return 7 * 24 * time.Hour }
	h := start(t, s)
	for day := range 10 {
		h.Post("")
		if want := 0; day < 7 && len(h.Told) != want {
			t.Errorf("day %d: told %q", day, h.Told)
		}
		h.Later(24 * time.Hour)
	}
	if len(h.Told) != 1 {
		t.Errorf("told %q, want one after a week", h.Told)
	}
}

func TestItemsAreToldOnceWhateverIsRerun(t *testing.T) {
	s := thermometer("home")
	on := true
	s.Fetch = func(context.Context, *fetch.Client, string, source.Window) (source.Batch, error) {
		b := source.Batch{Complete: true}
		if on {
			b.Items = []item.Item{{ID: "1", Title: "Pi 5 in stock"}}
		}
		return b, nil
	}
	s.Tell = func(c item.Change) (string, bool) { return fmt.Sprint(c.Item.Title, " ", c.Opened), true }
	s.TellOnce = func(item.Item) bool { return true }
	h := start(t, s)
	for _, there := range []bool{true, true, false, true, true} {
		on = there
		h.Later(time.Hour)
		h.Post("")
	}
	if fmt.Sprint(h.Told) != "[Pi 5 in stock true]" {
		t.Errorf("told %q, want it once", h.Told)
	}
}
