package slack

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/alert"
)

func TestWebhooksAreReadFromOneSecret(t *testing.T) {
	const a, b = "https://hooks.slack.com/services/T/B/a", "https://hooks.slack.com/services/T/B/b?x=1"
	for text, want := range map[string]Rooms{
		a: {"": a}, a + "\n": {"": a}, b: {"": b},
		"default=" + a + "\nclimate=" + b + "\n":  {"": a, alert.Climate: b},
		" DEFAULT=" + a + ";products=" + b + "; ": {"": a, alert.Products: b},
		"default=" + a + " security=" + b:         {"": a, alert.Security: b},
		"":                                        {}, "climate=": {},
	} {
		got, err := ParseWebhooks(text)
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		for c, address := range want {
			if got[c] != address {
				t.Errorf("%q: %s is %q", text, c, got[c])
			}
		}
	}
	for text, want := range map[string]string{
		"climat=" + a:             "did you mean climate?",
		"default=hooks.slack":     "default= is no web address",
		a + "\n" + b:              "has no kind before its =",
		"default=" + a + "\n" + b: "element 2 has no kind",
	} {
		got, err := ParseWebhooks(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "T/B") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got, err := ParseWebhooks("default=" + a + " climat=" + b); err == nil || got.of(alert.Climate) != a {
		t.Errorf("what is right counts: %v, %v", got, err)
	}
}

func TestOtherChannelsForSomeKinds(t *testing.T) {
	var r Rooms
	if err := r.UnmarshalText([]byte("climate=#air, security=#alarm")); err != nil || r.of(alert.Climate) != "#air" || r.of(alert.Devices) != "" {
		t.Errorf("%v, %v", r, err)
	}
	for _, text := range []string{"#air", "air=#air", "default=#x"} {
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken: %v", text, r)
		}
	}
}

func FuzzParseWebhooks(f *testing.F) {
	f.Add("default=https://a.example/b;climate=https://c.example/d")
	f.Fuzz(func(t *testing.T, text string) {
		rooms, _ := ParseWebhooks(text)
		for c, address := range rooms {
			if !isAddress(address) || len(address) > len(text) {
				t.Errorf("%q: %s is %q", text, c, address)
			}
		}
	})
}
