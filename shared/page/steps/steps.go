// Package steps is "First steps" on the page of make up, and what its forms call. Each source
// that works on sample data has a form: which key makes it live, where to get it, and a field
// for it. The key is tried at once and then saved. On OpenFaaS there are no first steps: the
// keys are OpenFaaS secrets there.
package steps

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/shared/page/texts"
)

// Line is one thing that can be done.
type Line struct {
	Name   string // in requests: "weather"
	Title  string // "Weather"
	State  string // why it is not live, where that is not usual: "lacks FINNHUB_KEY"
	About  string // what is needed and what it costs, in a sentence or two
	Link   string // where to get it: http(s); "": nowhere
	Docs   string // where its settings are described: http(s); "": nowhere
	Fields []Field
	Tries  string // what trying does: "asks OpenWeather once"; "": see the markup
}

// Field is a setting that a person gives.
type Field struct {
	Name    string // of the variable: OPENWEATHER_KEY
	Label   string // "Key"
	Hint    string // how to write it
	Value   string // filled in; never a secret
	Example string // shown while the field is empty
	Secret  bool   // what is typed is not shown
	Needed  bool   // it must not be empty
}

// Result is what a trial found, or a sentence about what was saved.
type Result struct {
	Title   string `json:"title"`             // "It works: 12 readings and 3 items."
	Rows    []Row  `json:"rows"`              // the first of them
	More    int    `json:"more"`              // how many are not among Rows
	Note    string `json:"note"`              // what was not all right; "": nothing
	Refused string `json:"refused,omitempty"` // why it does not work, as the upstream says it; else ""
}

// Row is a value that was decoded.
type Row struct {
	What  string `json:"what"`  // "home · Temperature"
	Value string `json:"value"` // "12.5 °C"
}

// Refusal is an error of the call itself, with the status code of its answer. Any other error
// is the result of a trial.
type Refusal struct {
	Code int
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// Steps is the handler, behind a guard that keeps other web sites from it. Values that a
// person gives are in bodies only, never in an address.
//
//	GET  steps/form?name=weather  the form, as markup
//	POST steps/try                tries what the form has, as Result
//	POST steps/save               saves what was tried, as Result without rows
//
// 400 the form has mistakes; 403 from another site; 404 there is no such line; 409 it is
// being tried, or was not tried; 503 .env cannot be written.
type Steps struct {
	Lines  func() []Line
	First  func() bool                      // they come first on the page: nothing is live yet
	Fill   func(context.Context, Line) Line // completes a line for its form, which may take a moment
	Try    func(ctx context.Context, name string, values map[string]string) (Result, error)
	Save   func(ctx context.Context, name string, values map[string]string) (Result, error)
	Redact func(string) string

	mu   sync.Mutex
	busy map[string]bool // lines that are being tried or saved
}

//go:embed steps.html
var markup string

var tmpl = template.Must(template.New("").Funcs(texts.Funcs).Parse(markup))

// Top returns the markup of the element steps-top, which has the lines on the first day.
func (s *Steps) Top() string { return s.section("steps-top", s.First()) }

// End returns the markup of the element steps-end, which has the lines on all other days.
func (s *Steps) End() string { return s.section("steps-end", !s.First()) }

// section draws an element with the lines, or a hidden one.
func (s *Steps) section(id string, here bool) string {
	data := struct {
		ID    string
		Lines []Line
	}{ID: id}
	if here {
		data.Lines = s.Lines()
	}
	return draw("line", data)
}

func draw(name string, data any) string {
	var b bytes.Buffer
	if err := tmpl.ExecuteTemplate(&b, name, data); err != nil {
		return template.HTMLEscapeString(err.Error())
	}
	return b.String()
}

const (
	maxBody  = 64 << 10 // bytes of a request
	maxValue = 8 << 10  // bytes of a value: a list of feeds may be long
)

// otherSites refuses requests of other web pages, which a browser sends to this one too.
var otherSites = http.NewCrossOriginProtection()

func (s *Steps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	var err error
	switch {
	case name == "form" && get:
		err = s.form(r.Context(), w, r.URL.Query().Get("name"))
	case name == "try" && r.Method == http.MethodPost:
		err = s.do(w, r, s.Try)
	case name == "save" && r.Method == http.MethodPost:
		err = s.do(w, r, s.Save)
	case name == "try" || name == "save" || name == "form":
		err = &Refusal{http.StatusMethodNotAllowed, r.Method + " is not allowed here"}
	default:
		err = &Refusal{http.StatusNotFound, "there is no such page"}
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		http.Error(w, s.Redact(refusal.Text), refusal.Code)
	}
}

func (s *Steps) form(ctx context.Context, w http.ResponseWriter, name string) error {
	line, err := s.line(name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(draw("form", s.Fill(ctx, line))))
	return err
}

func (s *Steps) line(name string) (Line, error) {
	for _, l := range s.Lines() {
		if l.Name == name {
			return l, nil
		}
	}
	return Line{}, &Refusal{http.StatusNotFound, texts.Say("steps.gone")}
}

// do reads a form and calls f with it. Only one call for a line runs at a time.
func (s *Steps) do(w http.ResponseWriter, r *http.Request, f func(context.Context, string, map[string]string) (Result, error)) error {
	if err := otherSites.Check(r); err != nil {
		return &Refusal{http.StatusForbidden, err.Error()}
	}
	if r.URL.RawQuery != "" {
		return &Refusal{http.StatusBadRequest, "the values belong into the body, not into the address"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return &Refusal{http.StatusBadRequest, "the form cannot be read, or is too large"} // the error may quote a value
	}
	line, err := s.line(r.PostForm.Get("name"))
	if err != nil {
		return err
	}
	values, err := line.values(r.PostForm)
	if err != nil {
		return err
	}
	if !s.begin(line.Name) {
		return &Refusal{http.StatusConflict, texts.Say("steps.busy", line.Title)}
	}
	defer s.end(line.Name)
	result, err := f(r.Context(), line.Name, values)
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	if err != nil {
		result = Result{Refused: s.Redact(err.Error())}
	}
	if result.Rows == nil {
		result.Rows = []Row{}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(result)
}

// values returns the values of the fields in a form that has each of them once, and nothing
// else. A key that was copied with spaces or a line break around it is trimmed.
func (l Line) values(form url.Values) (map[string]string, error) {
	bad := func(why string) (map[string]string, error) {
		return nil, &Refusal{http.StatusBadRequest, why}
	}
	if len(form) != len(l.Fields)+1 || len(form["name"]) != 1 {
		return bad("give each field of the form, and nothing else")
	}
	out := map[string]string{}
	for _, f := range l.Fields {
		if len(form[f.Name]) != 1 {
			return bad("give " + f.Name + " once")
		}
		v := strings.TrimSpace(form.Get(f.Name))
		switch {
		case v == "" && f.Needed:
			return bad(texts.Say("steps.empty", f.Label))
		case len(v) > maxValue:
			return bad(texts.Say("steps.tooLong", f.Label, maxValue>>10))
		case strings.ContainsAny(v, "\r\n"):
			return bad(texts.Say("steps.oneLine", f.Label))
		}
		out[f.Name] = v
	}
	return out, nil
}

func (s *Steps) begin(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[name] {
		return false
	}
	if s.busy == nil {
		s.busy = map[string]bool{}
	}
	s.busy[name] = true
	return true
}

func (s *Steps) end(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, name)
}
