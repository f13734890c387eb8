package secret

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
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

func TestRevealTrimsAndReadsTheFileAgain(t *testing.T) {
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
		t.Errorf("Redact() = %q, want both redacted", got)
	}
	if f.Get("absent").Present() || (String{}).Present() {
		t.Error("an absent secret is present")
	}
	if f.Get("../../etc/passwd").Present() {
		t.Error("a name with .. reads a file outside the folder")
	}
}

func TestAFolderInMemoryHasItsValuesAndFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings")
	values := map[string]string{"key": "in-memory\n"}
	f := InMemory(values, map[string]string{"settings": file})
	values["key"] = "changed"
	if got := f.Get("key").Reveal(); got != "in-memory" {
		t.Errorf("key = %q", got)
	}
	for _, name := range []string{"settings", "absent", file, "secret_test.go", ""} {
		if f.Get(name).Present() {
			t.Errorf("%q is present", name)
		}
	}
	if b, _, err := f.Get("key").Read(6); err != nil || string(b) != "in-mem" {
		t.Errorf("Read = %q, %v", b, err)
	}
	if _, _, err := f.Get("settings").Read(6); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read without a file: %v", err)
	}
	for _, v := range []string{"first-value", "second-value"} {
		if err := os.WriteFile(file, []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := f.Get("settings").Reveal(); got != v {
			t.Errorf("settings = %q, want %q", got, v)
		}
		if b, written, err := f.Get("settings").Read(100); err != nil || string(b) != v || written.IsZero() {
			t.Errorf("Read = %q of %s, %v", b, written, err)
		}
	}
	if got := InMemory(values, map[string]string{"settings": file}).Redact("changed by second-value"); got != "[secret] by [secret]" {
		t.Errorf("Redact() = %q", got)
	}
}

func TestPrintingDoesNotRevealTheValue(t *testing.T) {
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
		"odd":   v,
		"url":   "postgres://home:hunter-22@db:5432/home",
		"hook":  "https://hooks.slack.com/services/T0/B0/abcdefgh\n",
		"other": "https://hooks.example/services/T0/hunterAbCdEfGh?token=hunter-33",
	})
	for name, text := range map[string]string{
		"as it is":       "key " + v + " end",
		"in a query":     "?k=" + url.QueryEscape(v),
		"in a path":      "/x/" + url.PathEscape(v),
		"quoted":         fmt.Sprintf("%q", v),
		"base64":         base64.StdEncoding.EncodeToString([]byte(v)),
		"a password":     "user home password hunter-22",
		"a hook's URL":   `Post "https://hooks.slack.com/services/T0/B0/abcdefgh": refused`,
		"a hook's path":  "/services/T0/B0/abcdefgh",
		"a hook's token": "no_service: hunterAbCdEfGh",
		"a hook's query": "bad token hunter-33",
	} {
		t.Run(name, func(t *testing.T) {
			got := f.Redact(text)
			for _, part := range []string{"ss wo", "ss+wo", "ss%20wo", "hunter", "abcdefgh", base64.StdEncoding.EncodeToString([]byte(v))} {
				if strings.Contains(got, part) {
					t.Errorf("Redact(%q) = %q", text, got)
				}
			}
			if !strings.Contains(got, redacted) {
				t.Errorf("Redact(%q) = %q, want [secret] in it", text, got)
			}
		})
	}
	if got := f.Redact("home db 5432"); got != "home db 5432" {
		t.Errorf("Redact replaced ordinary words: %q", got)
	}
}

// An upstream may repeat a key in JSON. The error quotes the upstream's answer, and the
// log's encoder quotes the error.
func TestRedactFindsASecretQuotedSeveralTimes(t *testing.T) {
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

func TestThePasswordInAConnectionStringIsRedacted(t *testing.T) {
	for name, tt := range map[string]struct {
		secret string
		hidden []string
	}{
		"key=value":                     {"host=db port=5432 user=home password=hunter22 dbname=home", []string{"hunter22"}},
		"key = value":                   {"host = db password = hunter22", []string{"hunter22"}},
		"the last word":                 {"host=db Password=hunter22", []string{"hunter22"}},
		"quoted":                        {`host=db password='hun ter\'s \\22' dbname=home`, []string{`hun ter's \22`, `hun ter\'s \\22`, "hun+ter%27s+%5C22"}},
		"in double quotes":              {`host=db password="hun ter22"`, []string{"hun ter22", "hun%20ter22"}},
		"with a backslash":              {`host=db password=hun\ ter22 user=home`, []string{"hun ter22"}},
		"semicolons":                    {"Server=db;Pwd=hunter22;Database=home", []string{"hunter22"}},
		"a parameter of a URL":          {"postgres://db/home?user=home&password=hun%2fter22&sslmode=disable", []string{"hun%2fter22", "hun/ter22", "hun%2Fter22"}},
		"a URL":                         {"postgres://home:hunter22@db:5432/home", []string{"hunter22"}},
		"a URL, escaped by hand":        {"postgres://home:hun%2fter%4022@db/home", []string{"hun%2fter%4022", "hun/ter@22", "hun%2Fter%4022", "hun%2Fter@22"}},
		"a URL that cannot be read":     {"postgres://home:hun%ter#22@db/home", []string{"hun%ter#22", "hun%25ter%2322"}},
		"a URL with a slash in it":      {"postgres://home:hun/ter@22@db/home", []string{"hun/ter@22", "hun%2Fter%4022", "hun%2fter%4022"}},
		"a short one":                   {"mqtt://home:ab1@broker:1883", []string{"ab1"}},
		"a token in a password's place": {"https://t0ken22@git.example/home", []string{"t0ken22"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := folder(t, map[string]string{"url": tt.secret})
			for _, v := range append(tt.hidden, tt.secret) {
				for _, text := range []string{v, "refused: " + v + " is wrong", fmt.Sprintf("%q", v), "?k=" + v + "&x=1", `{"said":"\n` + v + `"}`} {
					if got := f.Redact(text); strings.Contains(got, v) || !strings.Contains(got, redacted) {
						t.Errorf("Redact(%s) = %s", text, got)
					}
				}
			}
			if ordinary := "home db broker 5432 hunt ab12"; f.Redact(ordinary) != ordinary {
				t.Errorf("Redact(%q) = %q", ordinary, f.Redact(ordinary))
			}
		})
	}
}

func TestAShortSecretIsRedactedWhereItIsAWord(t *testing.T) {
	f, _ := folder(t, map[string]string{"pin": "4711", "odd": "!a", "letter": "q", "umlaut": "öl"})
	for text, want := range map[string]string{
		"pin 4711":                 "pin [secret]",
		"4711":                     "[secret]",
		"4711 4711,4711":           "[secret] [secret],[secret]",
		`{"pin":"4711"}`:           `{"pin":"[secret]"}`,
		`{"said":"first\n4711"}`:   `{"said":"first\n[secret]"}`,
		`{"said":"\u00264711"}`:    `{"said":"\u0026[secret]"}`,
		"?q2=%204711&b":            "?q2=%20[secret]&b",
		"user_4711@broker":         "user_[secret]@broker",
		"x!a":                      "x[secret]",
		"x%21a":                    "x[secret]",
		"q.":                       "[secret].",
		"Öl öl ölig":               "Öl [secret] ölig",
		"147110 b4711 4711b quick": "147110 b4711 4711b quick", // other words
		"":                         "",
	} {
		if got := f.Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

// OpenFaaS mounts hearth.yml as a secret, but its words are not redacted.
func TestTheWordsOfASettingsFileAreNotRedacted(t *testing.T) {
	f, _ := folder(t, map[string]string{"hearth-settings": "rooms:\n  office: {url: http://x.example}\nmail: me@home.example\n"})
	const text = "the office of me at home.example has rooms"
	if got := f.Redact(text); got != text {
		t.Errorf("Redact(%q) = %q", text, got)
	}
	f, _ = folder(t, map[string]string{"hearth-settings": "{}\n", "password": "!?#%*$"})
	if got := f.Redact(`{"items":{}} !?#%*$`); got != `{"items":{}} `+redacted {
		t.Errorf("an empty settings file and a password of punctuation: %q", got)
	}
}
