package secret

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func folder(t *testing.T, files map[string]string) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	for name, v := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return NewFolder(dir), dir
}

func TestRevealTrimsAndFollowsTheFile(t *testing.T) {
	f, dir := folder(t, map[string]string{"key": "first-value\n"})
	s := f.Get("key")
	if got := s.Reveal(); got != "first-value" {
		t.Errorf("Reveal() = %q, want it without the newline", got)
	}
	os.WriteFile(filepath.Join(dir, "key"), []byte("second-value"), 0o600)
	if got := s.Reveal(); got != "second-value" {
		t.Errorf("Reveal() = %q, want the rotated key", got)
	}
	if got := f.Redact("first-value second-value"); got != "[secret] [secret]" {
		t.Errorf("Redact() = %q, want both gone", got)
	}
	if f.Get("absent").Present() || (String{}).Present() {
		t.Error("an absent secret is present")
	}
	if f.Get("../../etc/passwd").Present() {
		t.Error("a name reached out of the folder")
	}
}

func TestPrintingShowsNothing(t *testing.T) {
	f, _ := folder(t, map[string]string{"key": "s3cr3t-value"})
	s := f.Get("key")
	s.Reveal()
	b, _ := json.Marshal(map[string]any{"k": s})
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %s", s, s, s), fmt.Sprintf("%#v", s), string(b)} {
		if strings.Contains(out, "s3cr3t") {
			t.Errorf("printed %s", out)
		}
	}
}

func TestRedactFindsEveryForm(t *testing.T) {
	const v = `pa/ss wo"rd&1`
	f, _ := folder(t, map[string]string{
		"odd":  v,
		"url":  "postgres://home:hunter-22@db:5432/home",
		"hook": "https://hooks.slack.com/services/T0/B0/abcdefgh\n",
	})
	for name, text := range map[string]string{
		"as it is":      "key " + v + " end",
		"in a query":    "?k=" + url.QueryEscape(v),
		"in a path":     "/x/" + url.PathEscape(v),
		"quoted":        fmt.Sprintf("%q", v),
		"base64":        base64.StdEncoding.EncodeToString([]byte(v)),
		"a password":    "user home password hunter-22",
		"a hook's URL":  `Post "https://hooks.slack.com/services/T0/B0/abcdefgh": refused`,
		"a hook's path": "/services/T0/B0/abcdefgh",
	} {
		t.Run(name, func(t *testing.T) {
			got := f.Redact(text)
			for _, part := range []string{"ss wo", "ss+wo", "ss%20wo", "hunter", "abcdefgh", base64.StdEncoding.EncodeToString([]byte(v))} {
				if strings.Contains(got, part) {
					t.Errorf("Redact(%q) = %q", text, got)
				}
			}
			if !strings.Contains(got, Redacted) {
				t.Errorf("Redact(%q) = %q, want [secret] in it", text, got)
			}
		})
	}
	if got := f.Redact("home db 5432"); got != "home db 5432" {
		t.Errorf("Redact took ordinary words: %q", got)
	}
}

// An upstream may tell a key back in JSON; the error quotes its answer, and the
// log's encoder the error.
func TestRedactFindsWhatWasQuotedAgainAndAgain(t *testing.T) {
	const v = `s3c&ret<1>"\tail`
	f, _ := folder(t, map[string]string{"key": v, "url": "postgres://home:hun%40ter-22@db/home"})
	inJSON, err := json.Marshal(map[string]string{"error": "bad key " + v})
	if err != nil {
		t.Fatal(err)
	}
	var plain strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	text := string(inJSON)
	texts := map[string]string{"JSON": text, "JSON as it is": plain.String(), "HTML": html.EscapeString(v), "a URL's password": "hun%40ter-22", "decoded": "hun@ter-22"}
	for _, name := range []string{"an error", "a log", "a log of an error"} {
		text = fmt.Sprintf("%q", text)
		texts[name+" with JSON"] = text
	}
	texts["an error"] = fmt.Sprintf("%q", v)
	texts["a log"] = fmt.Sprintf("%q", texts["an error"])
	for name, text := range texts {
		if got := f.Redact(text); strings.Contains(got, "s3c") || strings.Contains(got, "tail") || strings.Contains(got, "ter-22") {
			t.Errorf("%s: Redact(%s) = %s", name, text, got)
		}
	}
}
