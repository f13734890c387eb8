package deadletter

import (
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/secret"
)

// Of a message that is too large only the beginning is kept, which may end within a secret.
func TestAShownPayloadHasNoPartOfASecret(t *testing.T) {
	f := secret.InMemory(map[string]string{"mqtt-password": "pass/word-1"}, nil)
	l := &Letters{o: Options{Redact: f.Brief, RedactCut: f.RedactCut}}
	for payload, want := range map[string]string{
		`{"p":"pass\/word-1"}`: `{"p":"[secret]"}`, `{"p":"pass\/wor`: `{"p":"[secret]`, `{"p":"pass%2`: `{"p":"[secret]`, `{"p":"pas`: `{"p":"pas`,
	} {
		if got := l.shown(Letter{Payload: []byte(payload), Cut: !strings.HasSuffix(payload, "}")}); string(got.Payload) != want {
			t.Errorf("%s is shown as %s, want %s", payload, got.Payload, want)
		}
	}
}
