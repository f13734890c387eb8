package glance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestTheSecretOfTheWifiBecomesWhatTelephonesRead(t *testing.T) {
	for in, want := range map[string]string{
		"Guests;welcome 1":               "Guests|WIFI:T:WPA;S:Guests;P:welcome 1;;",
		`Ga:st,e;a;b"c\d`:                `Ga:st,e|WIFI:T:WPA;S:Ga\:st\,e;P:a\;b\"c\\d;;`,
		"Open":                           "Open|WIFI:T:nopass;S:Open;;",
		`WIFI:T:SAE;S:A\;B;P:x;H:true;;`: `A;B|WIFI:T:SAE;S:A\;B;P:x;H:true;;`,
		"WIFI:T:WPA;P:geheim;;":          "error",
		"Guests\ngeheim":                 "error",
		";geheim":                        "error",
	} {
		name, text, err := wifiText(in)
		got := name + "|" + text
		if err != nil {
			got = "error"
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("%q: the error quotes it: %v", in, err)
			}
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestTheWifiIsDrawnForGuestsOnly(t *testing.T) {
	f := newFixture(t)
	in := f.glance().Inputs
	reads := 0
	in.Wifi = func() string { reads++; return "Guests;" + strings.Repeat("p", 63) }
	if s := New(in).Snapshot(t.Context(), View{}); len(s.Tiles) != 0 || reads != 0 {
		t.Errorf("%d tiles, the secret was read %d times", len(s.Tiles), reads)
	}
	s := New(in).Snapshot(t.Context(), View{Name: Guest})
	if len(s.Tiles) != 1 || len(s.Errors) > 0 || !strings.Contains(string(s.Tiles[0].Body), `<path class="qr-dark" d="M4 4h7v1h-7z`) || strings.Contains(string(s.Tiles[0].Body), "ppp") {
		t.Errorf("%v %v", s.Tiles, s.Errors)
	}
	in.Wifi = func() string { return "x;" + strings.Repeat("geheim", 1000) }
	if s := New(in).Snapshot(t.Context(), View{Name: Guest}); len(s.Errors) != 1 || strings.Contains(s.Errors[0], "geheim") {
		t.Error(s.Errors)
	}
}

func TestPrivateDataIsNotReadForGuests(t *testing.T) {
	f := newFixture(t)
	w, err := f.glance().world(t.Context(), View{Name: Guest})
	if err != nil {
		t.Fatal(err)
	}
	_, latest := w.latest(t.Context(), "stock_quote", time.Hour)
	_, between := w.between(t.Context(), "treasury_yield", nil, now.Add(-time.Hour), now)
	_, windows := w.windows(t.Context(), store.Query{Name: "github_usage", From: now.Add(-time.Hour), To: now, Step: time.Minute})
	_, items := w.items(t.Context(), "asana")
	for what, err := range map[string]error{"latest": latest, "between": between, "windows": windows, "items": items} {
		if !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.latest(t.Context(), "weather", time.Hour); err != nil {
		t.Error(err)
	}
}
