package page

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

// endpoint is one address of the API. docs/api.md describes all of them.
type endpoint struct {
	Path       string   `json:"path"` // relative to the page
	About      string   `json:"about"`
	Parameters []string `json:"parameters"`
	several    []string // parameters that may repeat
	answer     func(*Page, context.Context, url.Values) (any, error)
}

// endpoints are the addresses of the API in the order of its list.
var endpoints = []endpoint{
	{"api/devices", "The devices with their latest values", []string{"device", "room", "view"}, nil, (*Page).apiDevices},
	{"api/latest", "The latest reading of each series of a measurement", []string{"measurement", "within", "view"}, nil, (*Page).apiLatest},
	{"api/readings", "The history of up to six series, in windows", historyParameters, []string{"series"}, (*Page).apiHistory},
	{"api/items", "Open items: tasks, news, security alerts", []string{"source", "limit", "view"}, nil, (*Page).apiItems},
	{"api/alerts", "Alerts, the open ones first", []string{"open", "limit", "view"}, nil, (*Page).apiAlerts},
	{"api/runs", "The last run of each function, or the runs of one", []string{"function", "limit", "view"}, nil, (*Page).apiRuns},
	{"api/catalogue", "The measurements with their labels, fields, units and ranges", []string{"measurement", "view"}, nil, (*Page).apiCatalogue},
	{"api/tiles", "What the page shows, as data", []string{"at", "view"}, nil, (*Page).apiTiles},
	{"history.json", "The same as api/readings", historyParameters, []string{"series"}, (*Page).apiHistory},
	{"history.csv", "The same as a table: every reading of up to a day, windows of more", historyParameters, []string{"series"}, (*Page).apiCSV},
}

var historyParameters = []string{"series", "span", "from", "to", "at", "view"}

const (
	apiDeadline = 8 * time.Second
	apiFresh    = time.Second // for so long equal requests get the same answer
	apiAtOnce   = 4           // answers that are made at the same time; tables one after the other, since they take much memory
	apiKept     = 200
	apiSmall    = 256 << 10 // bytes: a larger answer is not kept, since few ask for the same one
	maxQuery    = 8000      // bytes
)

// answers keeps the last answers of the API.
type answers struct {
	once   sync.Once
	turns  chan struct{}
	tables chan struct{} // the turn of those that are tables
	mu     sync.Mutex
	found  map[string]*answer
}

// answer is a body, or why there is none.
type answer struct {
	mu   sync.Mutex
	at   time.Time
	kind string // of its content
	name string // of a file; "": it is none
	body []byte
	tag  string
	err  error
}

// table is an answer that is a file.
type table struct {
	body []byte
	name string
}

// isAPI reports whether a path is of the API.
func isAPI(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/history.json" || path == "/history.csv"
}

// api answers a request of the API. Everything that is wrong with a request is a 4xx.
func (p *Page) api(w http.ResponseWriter, r *http.Request) {
	e, err := endpointOf(r.URL.Path)
	var q url.Values
	if err == nil {
		q, err = p.queryOf(r, e)
	}
	if err != nil {
		p.apiError(w, r, err)
		return
	}
	a := p.answered(r.Context(), e, q)
	if a.err != nil {
		p.apiError(w, r, a.err)
		return
	}
	h := w.Header()
	h.Set("ETag", a.tag)
	h.Set("Content-Type", a.kind)
	if a.name != "" {
		h.Set("Content-Disposition", `attachment; filename="`+a.name+`"`)
	}
	if given := strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/"); given == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, r, a.body)
}

func endpointOf(path string) (endpoint, error) {
	path = strings.TrimPrefix(path, "/")
	if path == "api" || path == "api/" {
		return endpoint{Path: "api/", answer: func(*Page, context.Context, url.Values) (any, error) { return endpoints, nil }}, nil
	}
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		if names[i] = e.Path; e.Path == path {
			return e, nil
		}
	}
	text := fmt.Sprintf("there is no %.40q: api/ lists what there is", path)
	if name := nearest.Of(path, names); name != "" {
		text = fmt.Sprintf("there is no %.40q: did you mean %s?", path, name)
	}
	return endpoint{}, &history.Refused{Status: http.StatusNotFound, Text: text}
}

// queryOf returns the parameters of a request.
func (p *Page) queryOf(r *http.Request, e endpoint) (url.Values, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, &history.Refused{Status: http.StatusRequestURITooLong, Text: fmt.Sprintf("the query is longer than %d bytes", maxQuery)}
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &history.Refused{Status: http.StatusBadRequest, Text: "the query cannot be read: write % as %25 and ; as %3B"}
	}
	for name, values := range q {
		if text := name + strings.Join(values, ""); !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return nil, refuse("the query has control characters, or is not UTF-8")
		}
	}
	if err := history.CheckParameters(q, e.Parameters, e.several...); err != nil {
		return nil, err
	}
	if views := p.Glance.Views(); q.Get("view") != "" && !slices.Contains(views, q.Get("view")) {
		return nil, unknown("view", q.Get("view"), views)
	}
	return q, nil
}

// answered returns the answer of a query, or the one that an equal query got just before. Who
// goes away while other answers are made loses the turn.
func (p *Page) answered(ctx context.Context, e endpoint, q url.Values) *answer {
	s := &p.answers
	s.once.Do(func() {
		s.turns, s.tables, s.found = make(chan struct{}, apiAtOnce), make(chan struct{}, 1), map[string]*answer{}
	})
	turns := s.turns
	if e.Path == "history.csv" {
		turns = s.tables
	}
	key := e.Path + "?" + q.Encode()
	s.mu.Lock()
	a := s.found[key]
	if a == nil {
		if len(s.found) >= apiKept {
			s.found = map[string]*answer{}
		}
		a = &answer{}
		s.found[key] = a
	}
	s.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := p.Glance.Now().Sub(a.at); a.at.IsZero() || a.err != nil || age < 0 || age > apiFresh {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return &answer{err: ctx.Err()}
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), apiDeadline) // others wait for it, too
		p.make(ctx, e, q, a)
		cancel()
		<-turns
		a.at = p.Glance.Now()
		if len(a.body) > apiSmall {
			s.drop(key, a)
		}
	}
	return &answer{kind: a.kind, name: a.name, body: a.body, tag: a.tag, err: a.err}
}

// drop removes an answer from those that are kept.
func (s *answers) drop(key string, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found[key] == a {
		delete(s.found, key)
	}
}

// make makes an answer. No secret is in it.
func (p *Page) make(ctx context.Context, e endpoint, q url.Values, a *answer) {
	got, err := e.answer(p, ctx, q)
	if a.err = err; err != nil {
		return
	}
	if t, ok := got.(table); ok {
		a.kind, a.name, a.body = "text/csv; charset=utf-8", t.name, t.body
	} else {
		var b []byte
		if b, a.err = json.Marshal(got); a.err != nil {
			return
		}
		a.kind, a.body = "application/json", append(p.redactJSON(b), '\n')
	}
	a.tag = fmt.Sprintf(`"%x"`, sha256.Sum256(a.body))[:25] + `"`
}

// quoted matches a string of a JSON text.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// redactJSON removes secrets from the strings of a JSON text.
func (p *Page) redactJSON(b []byte) []byte {
	return printable.JSON(quoted.ReplaceAllFunc(b, func(q []byte) []byte {
		var s string
		if json.Unmarshal(q, &s) != nil {
			return []byte(`""`) // cannot happen
		}
		without := p.Glance.Redact(s)
		if without == s {
			return q
		}
		out, _ := json.Marshal(without) // text can be encoded
		return out
	}))
}

// apiError answers with a status and {"error": "…"}. Guests are not told why the store cannot be
// read: the error may name hosts and users.
func (p *Page) apiError(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusServiceUnavailable, p.Glance.Redact(err.Error())
	if refused, ok := errors.AsType[*history.Refused](err); ok {
		status = refused.Status
	} else if errors.Is(err, store.ErrTooMany) {
		status = http.StatusBadRequest
	} else if guest(r.URL.Query()) {
		text = texts.Say("verdict.noStore")
	}
	b, _ := json.Marshal(map[string]string{"error": text}) // text can be encoded
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(printable.JSON(b), '\n'))
}

func (p *Page) historyInputs() history.Inputs {
	in := p.Glance.Inputs
	return history.Inputs{Open: in.Open, Now: in.Now, Redact: in.Redact, Settings: in.Settings, Declared: in.Declared}
}

func (p *Page) historyRequest(q url.Values) (history.Request, error) {
	return history.ParseRequest(q, p.Glance.Now().Truncate(time.Second), p.Glance.Settings().House.Zone.Location())
}

func (p *Page) apiHistory(ctx context.Context, q url.Values) (any, error) {
	r, err := p.historyRequest(q)
	if err != nil {
		return nil, err
	}
	return p.historyInputs().Read(ctx, r)
}

func (p *Page) apiCSV(ctx context.Context, q url.Values) (any, error) {
	r, err := p.historyRequest(q)
	if err != nil {
		return nil, err
	}
	body, name, err := p.historyInputs().CSV(ctx, r)
	return table{body, name}, err
}

// guest reports whether a query is one of a guest, for whom nothing private is read.
func guest(q url.Values) bool { return q.Get("view") == glance.Guest }
