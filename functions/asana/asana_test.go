package function

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestDecode(t *testing.T) {
	for name, want := range map[string]string{"page1": "eyJ0eXAiOiJKV1Qi", "page2": ""} {
		items, odd, next, err := decode(sourcetest.File(t, name+".json"), "1001", "priority")
		if err != nil || next != want || len(odd.texts) > 0 {
			t.Fatalf("decode(%s): next %q, %v; want %q", name, next, err, want)
		}
		b, err := json.MarshalIndent(items, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Text(t, "testdata/"+name+".items", string(b)+"\n")
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(sourcetest.File(t, "page1.json"))
	for name, body := range map[string]string{
		"empty":                 "",
		"HTML":                  "<html></html>",
		"no data":               `{}`,
		"data is null":          `{"data":null}`,
		"data is one object":    `{"data":{"gid":"1"}}`,
		"a task is null":        `{"data":[null]}`,
		"truncated":             good[:len(good)/2],
		"no gids":               strings.ReplaceAll(good, `"gid": "12000`, `"id": "12000`),
		"a number as gid":       strings.Replace(good, `"gid": "120001"`, `"gid": 120001`, 1),
		"no names":              strings.ReplaceAll(good, `"name"`, `"title"`),
		"a page without offset": strings.Replace(good, `"offset"`, `"cursor"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if items, _, _, err := decode([]byte(body), "1001", "Priority"); err == nil {
				t.Errorf("decode() = %v, want an error", items)
			}
		})
	}
	_, _, _, err := decode([]byte(`{"errors":[{"message":"no"}]}`), "1001", "Priority")
	if e, ok := errors.AsType[*fetch.UpstreamError](err); !ok || e.Message != "no" {
		t.Errorf("decode() of an error = %v; want an upstream error", err)
	}
}

// One odd task or date costs itself, with a warning.
func TestAnOddDateCostsItself(t *testing.T) {
	const another = `"data": [{"gid":"9","name":"another","created_at":"2026-01-01T00:00:00Z","modified_at":"2026-01-01T00:00:00Z"},`
	good := strings.Replace(string(sourcetest.File(t, "page1.json")), `"data": [`, another, 1)
	whole, _, _, err := decode([]byte(good), "1001", "Priority")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body    string
		lost    int // tasks
		warning string
		without string // the attribute that is missing
	}{
		"no gid":         {strings.Replace(good, `"gid": "120001"`, `"gid": ""`, 1), 1, "no gid or no name", ""},
		"no name":        {strings.Replace(good, `"name": "Order filter"`, `"title": "Order filter"`, 1), 1, "no gid or no name", ""},
		"no created_at":  {strings.Replace(good, `"created_at": "2026-10-02T06:30:00.123Z",`, "", 1), 0, "created_at of task", ""},
		"no modified_at": {strings.Replace(good, `"modified_at": "2026-11-20T08:11:02.335Z",`, "", 1), 0, "modified_at of task", "modified_at"},
		"another time":   {strings.Replace(good, "2026-11-20T08:11:02.335Z", "20 Nov 2026", 1), 0, `the time "20 Nov 2026" is not written as 2026-11-23T12:00:00Z`, "modified_at"},
		"slashes":        {strings.Replace(good, "2026-11-30", "11/30/2026", 1), 0, `the time "11/30/2026" is not written as 2026-11-23`, "due_on"},
		"no time":        {strings.Replace(good, "2026-11-20T08:11:02.335Z", "", 1), 0, `modified_at of task "120001": it is absent`, "modified_at"},
		"the zero time":  {strings.Replace(good, "2026-10-02T06:30:00.123Z", "0001-01-01T00:00:00Z", 1), 0, "the time 0001-01-01T00:00:00Z is outside 2000-01-01 to 9999-12-31", ""},
		"another day":    {strings.Replace(good, `"2026-11-30"`, `"30.11.2026"`, 1), 0, "due_on of task", "due_on"},
	} {
		items, odd, _, err := decode([]byte(c.body), "1001", "Priority")
		if err != nil || len(items) != len(whole)-c.lost || len(odd.texts) != 1 || !strings.Contains(odd.texts[0], c.warning) || odd.task != (c.lost > 0) {
			t.Errorf("%s: %d items, %+v, %v; want %q", name, len(items), odd, err, c.warning)
			continue
		}
		missing := 0
		for n, i := range items {
			if i.At.IsZero() {
				t.Errorf("%s: %s has no time", name, i.ID)
			}
			if c.lost == 0 && c.without != "" && whole[n].Attributes[c.without] != "" && i.Attributes[c.without] == "" {
				missing++
			}
		}
		if c.without != "" && missing != 1 {
			t.Errorf("%s: %d items lost %s, want one", name, missing, c.without)
		}
	}
}

// A value of another type costs itself; the tasks stay, and those that are done are closed.
func TestAValueOfAnotherTypeCostsItself(t *testing.T) {
	for value, want := range map[string]string{
		`"due_on": 20261127`:                           "data.due_on",
		`"assignee": "Ada"`:                            "data.assignee",
		`"memberships": {}`:                            "data.memberships",
		`"custom_fields": [{"display_value": 3}]`:      "data.custom_fields.display_value",
		`"completed": "no"`:                            "data.completed",
		`"permalink_url": ["https://app.example/0/1"]`: "data.permalink_url",
	} {
		body := `{"data":[{"gid":"1","name":"a","created_at":"2026-01-01T00:00:00Z","modified_at":"2026-01-01T00:00:00Z",` + value + `},
			{"gid":"2","name":"b","created_at":"2026-01-01T00:00:00Z","modified_at":"2026-01-01T00:00:00Z"}]}`
		items, odd, _, err := decode([]byte(body), "1001", "Priority")
		if err != nil || len(items) != 2 || odd.task || len(odd.texts) != 1 || !strings.HasPrefix(odd.texts[0], want+" has a value of the kind ") {
			t.Errorf("%s: %d tasks, %v, %v; want two tasks and a warning about %s", value, len(items), odd, err, want)
		}
	}
	for _, next := range []string{`"x"`, `5`, `[]`, `{"offset":5}`, `{}`} { // else, the tasks of the next pages would be closed
		if _, _, _, err := decode([]byte(`{"data":[],"next_page":`+next+`}`), "1001", "Priority"); err == nil {
			t.Errorf("next_page %s is taken for the last page", next)
		}
	}
}

func TestParseProjects(t *testing.T) {
	names, gids, err := parseProjects([]string{"House: attic :12", "34", "Bath, hall:56", "12, Oak Street:78"})
	if err != nil || !reflect.DeepEqual(names, []string{"House: attic", "34", "Bath, hall", "12, Oak Street"}) || gids["House: attic"] != "12" || gids["34"] != "34" || gids["Bath, hall"] != "56" {
		t.Errorf("parseProjects() = %q, %v, %v", names, gids, err)
	}
	for _, s := range [][]string{{"Home"}, {"Home:"}, {":12"}, {"Home:12x"}, {"Home:../users"}, {"A:1", "A:2"}, {"12", "12"}} {
		if names, _, err := parseProjects(s); err == nil {
			t.Errorf("parseProjects(%q) = %q, want an error", s, names)
		}
	}
	for _, s := range []string{"A:1,B:2", "12,34", "A: 1 , B:2"} {
		if _, _, err := parseProjects([]string{s}); err == nil || !strings.Contains(err.Error(), "separate them by semicolons") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sourcetest.File(f, "page1.json"))
	f.Add(sourcetest.File(f, "page2.json"))
	f.Add([]byte(`{"errors":[{"message":"no"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		items, _, _, err := decode(body, "1001", "Priority")
		for _, i := range items {
			if err != nil || i.ID == "" || i.Title == "" {
				t.Fatalf("an item %+v with error %v", i, err)
			}
			if _, err := time.Parse(time.RFC3339, i.Attributes["modified_at"]); err != nil && i.Attributes["modified_at"] != "" {
				t.Fatal(err)
			}
		}
	})
}
