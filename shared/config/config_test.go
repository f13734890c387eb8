package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

type settings struct {
	Places List          `env:"PLACES,required"`
	Limit  int           `env:"LIMIT" envDefault:"5"`
	URL    string        `env:"URL,required"`
	Key    secret.String `env:"KEY_SECRET" envDefault:"the-key"`
}

func TestParse(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "the-key"), []byte("s3cr3t-value\n"), 0o600)
	e := Env{Vars: map[string]string{"PLACES": "a,b", "URL": "http://x"}, Secrets: secret.NewFolder(dir)}
	c, err := Parse[settings](e)
	if err != nil || len(c.Places) != 2 || c.Limit != 5 || c.Key.Reveal() != "s3cr3t-value" {
		t.Errorf("Parse = %+v, %v", c, err)
	}
}

func TestParseNamesAllMistakesAtOnce(t *testing.T) {
	_, err := Parse[settings](Env{Vars: map[string]string{"LIMIT": "many"}, Secrets: secret.NewFolder(t.TempDir())})
	for _, name := range []string{"PLACES", "URL", `LIMIT is "many": write a whole number`} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want %s in it", err, name)
		}
	}
}

func TestLoggerShowsNoSecret(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "k"), []byte("s3cr3t-value"), 0o600)
	var b bytes.Buffer
	Logger(&b, secret.NewFolder(dir)).With("url", "x?k=s3cr3t-value").
		LogAttrs(context.Background(), 4, "msg s3cr3t-value")
	Logger(&b, secret.NewFolder(dir)).Info("topic \u009b2J\u202e")
	if strings.ContainsAny(b.String(), "\u009b\u202e") || !strings.Contains(b.String(), `\u009b2J\u202e`) {
		t.Errorf("logged %q", b.String())
	}
	Logger(&b, secret.NewFolder(dir)).Error("failed", "err", errors.New("k=s3cr3t-value"), "list", []string{"s3cr3t-value"})
	if strings.Contains(b.String(), "s3cr3t") {
		t.Errorf("logged %s", b.String())
	}
}

func TestAnAddressMustBeAnAbsoluteWebAddress(t *testing.T) {
	type upstream struct {
		URL url.URL `env:"X_URL" envDefault:"https://api.example/v1"`
	}
	parse := func(vars map[string]string) (upstream, error) {
		return Parse[upstream](Env{Vars: vars, Secrets: secret.NewFolder(t.TempDir())})
	}
	for _, vars := range []map[string]string{nil, {"X_URL": "https://api.example/v1"}} {
		if c, err := parse(vars); err != nil || c.URL.String() != "https://api.example/v1" {
			t.Errorf("%v: %v, %v", vars, c.URL, err)
		}
	}
	for _, bad := range []string{"api.example/k3y", "ftp://api.example/k3y", "https:///k3y", "https://:443/k3y", "http://api example/k3y", "//api.example/k3y"} {
		if c, err := parse(map[string]string{"X_URL": bad}); err == nil || !strings.Contains(err.Error(), "is no web address") || strings.Contains(err.Error(), "k3y") {
			t.Errorf("%s: %v, %v; want an error without the address", bad, c.URL, err)
		}
	}
}

func TestALogLineIsJSONEvenIfTheSecretIsANumber(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "pin"), []byte("4711\n"), 0o600)
	var b bytes.Buffer
	log := Logger(&b, secret.NewFolder(dir))
	log.Info("run", "stored", 4711)
	log.Info("run", "stored", 4712)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || strings.Contains(b.String(), ":4711") {
		t.Fatalf("log = %s", b.String())
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s is no JSON", line)
		}
	}
}

func TestOnlyWebAddressesAreLinks(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/x?y=z#f": "https://a.example/x?y=z#f", "http://a.example": "http://a.example", "https://user:pass@a.example/x": "https://a.example/x",
		"https://a.example/x%2Fy?a=%zz": "https://a.example/x%2Fy?a=%zz", "https://a.example/?q=a b": "https://a.example/?q=a%20b", "https://[::1]:8080/": "https://[::1]:8080/",
		"https://user@a.example:8443": "https://a.example:8443", "https://a.example/\u202egpj.exe?\u202e#\u202e": "https://a.example/%E2%80%AEgpj.exe?%E2%80%AE#%E2%80%AE",
		"https://münchen.example:81/ü": "https://xn--mnchen-3ya.example:81/%C3%BC", "https://a.example/<x>|\"`": "https://a.example/%3Cx%3E%7C%22%60", "https://a.example/?<x>|\"`": "https://a.example/?%3Cx%3E%7C%22%60",
		"https://a.example/" + strings.Repeat("x", 1982): "https://a.example/" + strings.Repeat("x", 1982), "https://a.example/" + strings.Repeat("x", 1983): "", "https://a.example/" + strings.Repeat("ü", 400): "",
		"https://a\u202e.example/": "", "https://a.example/\x00": "", "https://a.example/\n": "", "https://a.example\\@b.example": "", "JavaScript:alert(1)": "", " javascript:alert(1)": "", "vbscript:x": "", "blob:https://a.example/": "", "file:///x": "",
		"javascript:alert(1)": "", "data:text/html,x": "", "//a.example": "", "/x": "", "": "", "ftp://a.example": "", "https:": "", "https://:443/": "",
	} {
		if got := Link(address); got != want {
			t.Errorf("Link(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestAWrongValueIsNamedWithWhatToWrite(t *testing.T) {
	type typed struct {
		On    bool          `env:"ON"`
		Every time.Duration `env:"EVERY"`
		Most  int64         `env:"MOST"`
		Share float64       `env:"SHARE"`
		Inner struct {
			Count int `env:"COUNT"`
		} `envPrefix:"INNER_"`
	}
	_, err := Parse[typed](Env{Vars: map[string]string{"ON": "maybe", "EVERY": "banana", "MOST": "1e3", "SHARE": "half", "INNER_COUNT": "two"}, Secrets: secret.NewFolder(t.TempDir())})
	want := `configuration: ON is "maybe": write true or false; EVERY is "banana": write a duration such as 90s, 15m or 2h; MOST is "1e3": write a whole number; ` +
		`SHARE is "half": write a number; INNER_COUNT is "two": write a whole number`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestWhatAValueWasMeantToBeIsAsked(t *testing.T) {
	type typed struct {
		On    bool          `env:"ON"`
		Every time.Duration `env:"EVERY"`
		Size  int64         `env:"SIZE_MIB"`
		Share float64       `env:"SHARE"`
	}
	for setting, want := range map[string]string{
		"ON=on": "true", "ON=Yes": "true", "ON=ja": "true", "ON=off": "false", "ON=nein": "false", "ON=perhaps": "",
		"EVERY=5 m": "5m", "EVERY=5min": "5m", "EVERY=90 sec": "90s", "EVERY=2 hours": "2h", "EVERY=1,5h": "1.5h", "EVERY=1d": "24h", "EVERY=90": "", "EVERY=5 mx": "",
		"SIZE_MIB=2GB": "2048", "SIZE_MIB=256 MB": "256", "SIZE_MIB=1.5g": "1536", "SIZE_MIB=512k": "", "SHARE=0,5": "0.5", "SHARE=half": "",
	} {
		name, value, _ := strings.Cut(setting, "=")
		_, err := Parse[typed](Env{Vars: map[string]string{name: value}, Secrets: secret.NewFolder(t.TempDir())})
		if err == nil || !strings.HasPrefix(err.Error(), "configuration: "+name+" is ") {
			t.Errorf("%s: %v", setting, err)
			continue
		}
		if asked := strings.Contains(err.Error(), "did you mean "+want+"?"); asked != (want != "") {
			t.Errorf("%s: %v, want %q", setting, err, want)
		}
		if want != "" {
			if _, err := Parse[typed](Env{Vars: map[string]string{name: want}, Secrets: secret.NewFolder(t.TempDir())}); err != nil {
				t.Errorf("%s: what it proposes is refused: %v", setting, err)
			}
		}
	}
}

func TestAMistypedNameIsNamed(t *testing.T) {
	type program struct {
		Symbols List          `env:"STOCKS_SYMBOLS"`
		Timeout time.Duration `env:"exec_timeout" envDefault:"25s"`
		Port    int           `env:"PORT"`
	}
	var b bytes.Buffer
	secrets := secret.NewFolder(t.TempDir())
	e := Env{Secrets: secrets, Log: Logger(&b, secrets), Vars: map[string]string{
		"STOCK_SYMBOLS": "AAPL", "EXEC_TIMEOUT": "5s", "STOCKS_SYMBOLS": "SPY", "PROT": "1", "HOME": "/root", "KUBERNETES_SERVICE_HOST": "10.0.0.1",
	}}
	if _, err := Parse[program](e); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"STOCK_SYMBOLS is no setting: did you mean STOCKS_SYMBOLS?", "EXEC_TIMEOUT is no setting: did you mean exec_timeout?"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("logged %s, want %s once", b.String(), want)
		}
	}
	if n := strings.Count(b.String(), "\n"); n != 2 || strings.Contains(b.String(), "AAPL") {
		t.Errorf("logged %s, want two lines without values", b.String())
	}
	e.Vars["PORT"] = "many"
	if _, err := Parse[program](e); err == nil || !strings.Contains(err.Error(), "did you mean STOCKS_SYMBOLS?") || !strings.Contains(err.Error(), `PORT is "many"`) {
		t.Errorf("with a wrong value: %v", err)
	}
}

func TestADurationIsLoggedWithItsUnit(t *testing.T) {
	var b bytes.Buffer
	log := Logger(&b, secret.NewFolder(t.TempDir()))
	log.With("since", 90*time.Second).WithGroup("call").Info("kept", "for", 24*time.Hour, "took", 1500*time.Microsecond, slog.Group("more", "wait", time.Millisecond), "n", 3)
	for _, want := range []string{`"since":"1m30s"`, `"for":"24h0m0s"`, `"took":"1.5ms"`, `"wait":"1ms"`, `"n":3`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("logged %s, want %s", b.String(), want)
		}
	}
}
