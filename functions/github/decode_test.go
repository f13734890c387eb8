package function

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

var (
	november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	octocat  = owner{name: "octocat", included: 2000}
)

func TestDecodeUsage(t *testing.T) {
	u, err := decodeUsage(sourcetest.File(t, "usage.json"), octocat, november)
	if err != nil {
		t.Fatal(err)
	}
	public := map[string]bool{"octocat/spoon-knife": true}
	golden.Readings(t, "testdata/usage.lp", append(u.readings(octocat, november, public), u.costs(octocat)...))
}

func TestAMonthWithoutUsageHasOneReading(t *testing.T) {
	u, err := decodeUsage([]byte(`{"usageItems":[]}`), octocat, november)
	rs := append(u.readings(octocat, november, nil), u.costs(octocat)...)
	if err != nil || len(rs) != 1 || rs[0].Fields["minutes_left"] != 2000 || rs[0].Time != november {
		t.Errorf("%v, %v", rs, err)
	}
}

func TestMultiplier(t *testing.T) {
	for sku, want := range map[string]float64{
		"Actions Linux": 1, "actions_linux": 1, "Actions Linux 2-core": 1, "actions_linux_slim": 1, "Actions Linux ARM": 1, "": 1,
		"Actions Windows": 2, "actions_windows": 2, "Actions Windows 2-core": 2,
		"Actions macOS": 10, "actions_macos": 10, "Actions macOS 3-core": 10, "Actions macOS 4-core": 10,
		"Actions Linux 4-core": 0, "actions_linux_16_core": 0, "Actions Windows 8 core": 0, "Actions macOS 12-core": 0, "actions_macos_xl": 0, "actions_macos_l": 0,
		"Actions Linux 4-core GPU": 0, "Actions self-hosted Linux": 0,
		"linux_2_core_advanced": 0, "Actions Linux Advanced 2-core": 0, "linux_2_core_arm": 0, "actions_windows_2_core_arm": 0, "windows_64_core_arm": 0, "macos_8_core": 0,
		"linux_arm": 1, "actions_windows_arm": 2, "linux_slim": 1, "macos": 10,
	} {
		if got := multiplier(sku); got != want {
			t.Errorf("%s: %g, want %g", sku, got, want)
		}
	}
}

// A day is the one that is written, whatever its zone.
func TestParseDay(t *testing.T) {
	for s, want := range map[string]string{
		"2026-11-30": "2026-11-30", "2026-11-30T00:00:00Z": "2026-11-30", "2026-11-30T00:00:00+09:00": "2026-11-30",
		"2026-11-30T23:00:00-05:00": "2026-11-30", "2026-11-01T00:00:00.000Z": "2026-11-01", "": "", "November": "", "2026-02-30": "",
	} {
		got, err := parseDay(s)
		if (err != nil) != (want == "") || err == nil && got.Format(time.RFC3339) != want+"T00:00:00Z" {
			t.Errorf("%q: %v, %v; want %s", s, got, err, want)
		}
	}
}

func TestDecodeRuns(t *testing.T) {
	runs, total, err := decodeRuns(sourcetest.File(t, "runs.json"))
	if err != nil || total != len(runs) {
		t.Fatal(total, err)
	}
	var rs []reading.Reading
	points := map[string]bool{}
	for _, r := range runs {
		if r, ok := r.reading("octocat/hello-world"); ok {
			rs = append(rs, r)
			points[r.Series()+r.Time.String()] = true
		}
	}
	if len(points) != len(rs) {
		t.Errorf("%d points for %d runs: one overwrites another", len(points), len(rs))
	}
	golden.Readings(t, "testdata/runs.lp", rs)
	items, settled := failing(runs)
	b, _ := json.MarshalIndent(items, "", "  ")
	golden.Text(t, "testdata/failing.items.json", string(b)+"\n")
	if !settled {
		t.Error("the list is not settled, although no run is repeated")
	}
}

func TestAFailureStaysOpenWhileItsRunIsRepeated(t *testing.T) {
	const format = `{"total_count":2,"workflow_runs":[
		{"id":2,"path":"ci.yml","event":"push","status":%q,"conclusion":%q,"run_attempt":2,"head_branch":"main","created_at":"2026-11-23T10:00:00Z","updated_at":"2026-11-23T10:01:00Z"},
		{"id":1,"path":"ci.yml","event":"push","status":"completed","conclusion":"success","run_attempt":1,"head_branch":"main","created_at":"2026-11-22T10:00:00Z","updated_at":"2026-11-22T10:01:00Z"}]}`
	for _, c := range []struct {
		status, conclusion string
		items              int
		settled            bool
	}{
		{"in_progress", "", 0, false},
		{"completed", "failure", 1, true},
		{"completed", "cancelled", 1, true},
		{"completed", "success", 0, true},
	} {
		runs, _, err := decodeRuns(fmt.Appendf(nil, format, c.status, c.conclusion))
		if err != nil {
			t.Fatal(err)
		}
		if items, settled := failing(runs); len(items) != c.items || settled != c.settled {
			t.Errorf("%s %s: %v, settled %v; want %d, %v", c.status, c.conclusion, items, settled, c.items, c.settled)
		}
	}
}

func TestDecodeAlerts(t *testing.T) {
	items, left, err := decodeAlerts(sourcetest.File(t, "alerts.json"))
	if err != nil || len(left) > 0 {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(items, "", "  ")
	golden.Text(t, "testdata/alerts.items.json", string(b)+"\n")
}

// One odd alert costs itself, or less. How many alerts there are is unknown then.
func TestAnOddAlertCostsItself(t *testing.T) {
	good := string(sourcetest.File(t, "alerts.json"))
	for name, c := range map[string]struct {
		body        string
		items, left int
	}{
		"no time":     {strings.Replace(good, `"created_at":"2026-11-22T06:00:00Z"`, `"created_at":null`, 1), 2, 0},
		"no severity": {strings.Replace(good, `"severity":"low",`, ``, 1), 2, 0},
		"other type":  {strings.Replace(good, `"number":3`, `"number":"3"`, 1), 1, 2},
		"no number":   {strings.Replace(good, `"number":3`, `"no":3`, 1), 1, 1},
		"no package":  {strings.Replace(good, `"name":"left-pad"`, `"title":"left-pad"`, 1), 1, 1},
		"null":        {strings.Replace(good, "[\n", "[null,\n", 1), 2, 1},
		"fixed":       {strings.ReplaceAll(good, `"state":"open"`, `"state":"fixed"`), 0, 0},
	} {
		items, left, err := decodeAlerts([]byte(c.body))
		if err != nil || len(items) != c.items || len(left) != c.left {
			t.Errorf("%s: %d items, %q, %v; want %d and %d left out", name, len(items), left, err, c.items, c.left)
		}
	}
	if items, left, err := decodeAlerts([]byte(strings.ReplaceAll(good, `"number"`, `"no"`))); err == nil {
		t.Errorf("no number at all: %v, %q", items, left)
	}
	h := start(t, gitHub{alertsPath: respond(strings.Replace(good, `"number":3`, `"no":3`, 1)), runsPath: respond(`{"total_count":0,"workflow_runs":[]}`)}, "GITHUB_OWNERS", "")
	if a, w := h.Post(""); a.Status != "ok" || len(h.Items()) != 1 || len(h.Readings("github_alerts")) != 0 || len(a.Warnings) != 1 {
		t.Errorf("%s", w.Body)
	}
}

// decoders are all decoders, each with the file of a good answer.
var decoders = map[string]struct {
	file   string
	decode func([]byte) ([]reading.Reading, error)
}{
	"usage": {"usage.json", func(b []byte) ([]reading.Reading, error) {
		u, err := decodeUsage(b, octocat, november)
		return append(u.readings(octocat, november, nil), u.costs(octocat)...), err
	}},
	"runs": {"runs.json", func(b []byte) ([]reading.Reading, error) {
		runs, _, err := decodeRuns(b)
		failing(runs)
		var rs []reading.Reading
		for _, r := range runs {
			if r, ok := r.reading("o/r"); ok {
				rs = append(rs, r)
			}
		}
		return rs, err
	}},
	"alerts": {"alerts.json", func(b []byte) ([]reading.Reading, error) { _, _, err := decodeAlerts(b); return nil, err }},
}

func TestDecodeRefuses(t *testing.T) {
	for name, d := range decoders {
		good := string(sourcetest.File(t, d.file))
		refused := map[string]string{
			"empty":       "",
			"html":        "<html><body>Unicorn!</body></html>",
			"truncated":   good[:len(good)/2],
			"null":        "null",
			"api's error": `{"message":"Server Error","documentation_url":"https://docs.github.com/rest"}`,
		}
		for change, replaced := range map[string][2]string{
			"usage no date":     {`"date":"2026-11-22T00:00:00Z",`, ``},
			"usage no quantity": {`"quantity":100,`, ``},
			"usage no amount":   {`"grossAmount":0.8,`, ``},
			"usage other type":  {`"quantity":100`, `"quantity":"100"`},
			"usage other month": {`"date":"2026-11-22`, `"date":"2026-10-22`},
			"runs no time":      {`"updated_at":"2026-11-23T10:07:12Z",`, ``},
			"runs no path":      {`"path":".github/workflows/ci.yml",`, ``},
			"runs no count":     {`"total_count":9,`, ``},
			"runs other type":   {`"id":109`, `"id":"109"`},
		} {
			if mistake, ok := strings.CutPrefix(change, name+" "); ok {
				refused[mistake] = strings.Replace(good, replaced[0], replaced[1], 1)
				if refused[mistake] == good {
					t.Errorf("the change %q changes nothing", change)
				}
			}
		}
		for mistake, body := range refused {
			t.Run(name+"/"+mistake, func(t *testing.T) {
				if rs, err := d.decode([]byte(body)); err == nil {
					t.Errorf("%v, want an error", rs)
				}
			})
		}
	}
}

func TestNextCursor(t *testing.T) {
	for link, want := range map[string]string{
		"": "",
		`<https://api.github.com/repos/o/r/dependabot/alerts?state=open&per_page=100&after=Y3Vyc29y%3D>; rel="next"`:       "Y3Vyc29y=",
		`<https://api.github.com/x?before=a>; rel="prev", <https://api.github.com/x?after=b>; rel="next"`:                  "b",
		`<https://api.github.com/x?before=a>; rel="prev"`:                                                                  "",
		`<https://api.github.com/x?page=2>; rel="next"`:                                                                    "error",
		`<https://api.github.com/x?after=b>; rel="next", <https://api.github.com/x?before=a&first=true>; rel="first", <x>`: "b",
	} {
		got, err := nextCursor(http.Header{"Link": {link}})
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("nextCursor(%s) = %q, want %q", link, got, want)
		}
	}
}

func TestTargets(t *testing.T) {
	c := Config{Owners: []string{"octocat", "user:me=3000", "org:acme=0", "team:x", "org:a/b", "user:y=many"}, Repos: []string{"me/x", "nonsense"}, Included: 2000}
	all, names, err := c.targets()
	if err != nil || fmt.Sprint(names) != "[octocat user:me org:acme team:x org:a/b user:y me/x actions me/x alerts nonsense]" {
		t.Fatalf("%q, %v", names, err)
	}
	for name, want := range map[string]owner{"octocat": {"octocat", false, 2000}, "user:me": {"me", false, 3000}, "org:acme": {"acme", true, 0}} {
		if all[name].owner != want || all[name].err != nil {
			t.Errorf("%s: %+v, want %+v", name, all[name], want)
		}
	}
	for _, name := range []string{"team:x", "org:a/b", "user:y", "nonsense"} {
		if all[name].err == nil {
			t.Errorf("%s is accepted as %+v", name, all[name])
		}
	}
	if _, _, err := (Config{Repos: []string{"a/b", "a/b"}}).targets(); err == nil {
		t.Error("a repository listed twice is no error")
	}
}

func FuzzDecode(f *testing.F) {
	for name, d := range decoders {
		f.Add(name, sourcetest.File(f, d.file))
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d, ok := decoders[name]
		if !ok {
			return
		}
		rs, err := d.decode(body)
		if err != nil {
			return
		}
		for _, r := range rs {
			if err := r.Check(); err != nil {
				t.Error(err)
			}
			if m, ok := catalogue.Get(r.Name); !ok || len(m.Labels) != len(r.Tags) && (r.Name != "github_cost" || r.Tags["repo"] != "") {
				t.Errorf("%s with %v", r.Name, r.Tags)
			}
		}
	})
}
