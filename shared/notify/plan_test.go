package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// TestWhatIsSentTogether: each word is a message, KEY#NUMBER/GROUP; ! marks an edit.
func TestWhatIsSentTogether(t *testing.T) {
	for rows, want := range map[string]string{
		"a#1 b#1 c#1":                                 "a#1 | b#1 | c#1",
		"a#1 b#1 c#1 d#1 e#1 f#1":                     "a#1 b#1 c#1 d#1 e#1 f#1",
		"a#1/g b#1 c#1/g":                             "a#1 c#1 | b#1",
		"a#1/g c#1 c#2/g":                             "a#1 | c#1 | c#2", // c must not be told before its first
		"a#1/g b#1/h c#1/g d#1/h":                     "a#1 c#1 | b#1 d#1",
		"a#1 b#1 !a#2 c#1 d#1 e#1":                    "a#1 b#1 | !a#2 | c#1 d#1 e#1",
		strings.TrimSpace(strings.Repeat("x#1 ", 45)): strings.TrimSpace(strings.Repeat("x#1 ", 20)) + " | " + strings.TrimSpace(strings.Repeat("x#1 ", 20)) + " | x#1 x#1 x#1 x#1 x#1",
	} {
		var ms []alert.Message
		for _, word := range strings.Fields(rows) {
			key, group, _ := strings.Cut(word, "/")
			m := alert.Message{Key: key, Group: group, What: alert.Fired}
			if strings.HasPrefix(key, "!") {
				m.What = alert.Edited
			}
			ms = append(ms, m)
		}
		var got []string
		for _, b := range batches(ms) {
			got = append(got, strings.Join(keysOf(b), " "))
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s: %s, want %s", rows, strings.Join(got, " | "), want)
		}
	}
}

func TestMessagesOfAnAlertStayInOrder(t *testing.T) {
	var ms []alert.Message
	for _, key := range []string{"k#10@slack", "k#9@slack", "k#9/edit/4@slack", "a@slack"} {
		ms = append(ms, alert.Message{Key: key, Destination: alert.ToSlack, Created: noon})
	}
	ms = append(ms, alert.Message{Key: "z", Destination: alert.ToSlack, Created: noon.Add(-time.Second)})
	lanes := split(ms, func(m *alert.Message) lane { return lane{m.Destination, ""} })
	if got := fmt.Sprint(keysOf(lanes[lane{alert.ToSlack, ""}])); got != "[z a@slack k#9/edit/4@slack k#9@slack k#10@slack]" {
		t.Errorf("%s", got)
	}
}

func TestALaneWaitsForWhatFailed(t *testing.T) {
	ms := []alert.Message{{Due: noon.Add(time.Hour)}, {Tries: 1, Due: noon.Add(time.Minute)}, {Tries: 2, Due: noon.Add(-time.Minute)}}
	if until := heldUntil(ms, noon); !until.Equal(noon.Add(time.Minute)) {
		t.Errorf("%v", until)
	}
	if until := heldUntil(ms, noon.Add(time.Minute)); !until.IsZero() {
		t.Errorf("%v", until)
	}
}
