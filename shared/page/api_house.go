package page

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/store"
)

func refuse(text string) error { return &history.Refused{Status: http.StatusBadRequest, Text: text} }

func notForGuests(what string) error {
	return &history.Refused{Status: http.StatusForbidden, Text: "the view for guests has no " + what}
}

// apiDevice is a device of the API.
type apiDevice struct {
	store.Device
	Values []apiValue `json:"values"`
}

// apiValue is the latest value of one metric, in the unit that is stored.
type apiValue struct {
	Metric  string    `json:"metric"`
	Title   string    `json:"title"`
	Value   *float64  `json:"value"` // null: it is a text
	Unit    string    `json:"unit,omitempty"`
	Text    string    `json:"text,omitempty"`
	Time    time.Time `json:"time,omitzero"`
	Quality string    `json:"quality"`
	Reason  string    `json:"reason,omitempty"`
}

func (p *Page) apiDevices(ctx context.Context, q url.Values) (any, error) {
	if guest(q) {
		return nil, notForGuests("devices")
	}
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	states, err := st.DeviceStates(ctx, q.Get("device"))
	if err != nil {
		return nil, err
	}
	values := map[string][]apiValue{}
	for _, s := range states {
		if v, shown := p.valueOf(s); shown {
			values[s.Device] = append(values[s.Device], v)
		}
	}
	out, ids := []apiDevice{}, []string{}
	for _, d := range devices {
		ids, d.Room = append(ids, d.ID), glance.RoomOf(d)
		if (!q.Has("device") || d.ID == q.Get("device")) && (!q.Has("room") || d.Room == q.Get("room")) {
			out = append(out, apiDevice{d, append([]apiValue{}, values[d.ID]...)})
		}
	}
	if id := q.Get("device"); q.Has("device") && !slices.Contains(ids, id) {
		return nil, unknown("device", id, ids)
	}
	return out, nil
}

// valueOf describes a state; shown is false for what is bookkeeping.
func (p *Page) valueOf(s store.DeviceState) (v apiValue, shown bool) {
	f := p.metric(s.Metric)
	v = apiValue{Metric: s.Metric, Title: f.TitleOf(s.Metric), Unit: f.Unit, Text: s.Text, Time: s.Time, Quality: s.Quality, Reason: s.Reason}
	if s.Time.IsZero() {
		v.Time = s.Arrived
	}
	if s.Text == "" {
		v.Value, v.Text = &s.Value, f.Word(s.Value)
	}
	return v, f.Show != catalogue.Hidden && f.Show != catalogue.Simulated
}

// metric returns how a metric of a device is shown: the first measurement of devices that
// declares it says so.
func (p *Page) metric(key string) catalogue.Field {
	for _, m := range slices.Concat([]catalogue.Measurement{catalogue.States()}, catalogue.All(), p.Glance.Declared()) {
		if f, ok := m.Field(key); ok && m.OfDevices() {
			return f
		}
	}
	return catalogue.Field{Title: catalogue.Title(key), Unit: catalogue.KeyUnit(key)}
}

// unknown says that there is no such thing, and what was probably meant.
func unknown(what, name string, names []string) error {
	text := "unknown " + what + " " + strconv.Quote(name[:min(len(name), 60)])
	if near := nearest.Of(name, names); near != "" {
		text += ": did you mean " + near + "?"
	}
	return refuse(text)
}

// apiAlert is an alert of the API.
type apiAlert struct {
	Key         string    `json:"key"`
	Title       string    `json:"title"`
	Severity    string    `json:"severity"`
	Phase       string    `json:"phase"`
	Device      string    `json:"device,omitempty"`
	Name        string    `json:"name,omitempty"`
	Room        string    `json:"room,omitempty"`
	Measurement string    `json:"measurement,omitempty"`
	Field       string    `json:"field,omitempty"`
	Function    string    `json:"function,omitempty"`
	Value       *float64  `json:"value,omitempty"`
	Limit       *float64  `json:"limit,omitempty"`
	Unit        string    `json:"unit,omitempty"`
	Text        string    `json:"text,omitempty"`
	Next        string    `json:"next,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	Fired       time.Time `json:"fired,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Acked       time.Time `json:"acked,omitzero"`
	Sample      bool      `json:"sample,omitempty"`
}

func (p *Page) apiAlerts(ctx context.Context, q url.Values) (any, error) {
	if guest(q) {
		return nil, notForGuests("alerts")
	}
	limit, err := limitOf(q, 100, 1000)
	if err != nil {
		return nil, err
	}
	if open := q.Get("open"); open != "" && open != "true" && open != "false" {
		return nil, refuse("open is true or false")
	}
	st, err := p.Glance.Open(ctx)
	if err != nil {
		return nil, err
	}
	alerts, err := st.Alerts(ctx, limit)
	out := []apiAlert{}
	for _, a := range alerts {
		if q.Get("open") == "true" && (!a.Ended.IsZero() || a.Fired.IsZero()) {
			continue
		}
		out = append(out, apiAlert{a.Key, a.Title, string(a.Severity), string(a.Phase), a.Device, a.Name, a.Room, a.Measurement, a.Field, a.Function,
			a.Value, a.Limit, a.Unit, a.Text, a.Next, a.Since, a.Fired, a.Ended, a.Acked, a.Sample})
	}
	return out, err
}

// limitOf reads the parameter limit.
func limitOf(q url.Values, usual, most int) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, refuse("limit is a number from 1 to " + strconv.Itoa(most))
	}
	return n, nil
}

// apiTile is a tile of the API.
type apiTile struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Title  string    `json:"title"`
	Needs  []apiNeed `json:"needs"`
	At     time.Time `json:"at,omitzero"`     // of the value that ages first
	Stale  bool      `json:"stale,omitempty"` // its values are old
	Sample bool      `json:"sample,omitempty"`
	Series []string  `json:"series"` // for api/readings
	Text   string    `json:"text"`   // its words, without markup
}

// apiPage is what the page shows.
type apiPage struct {
	Now    time.Time `json:"now"`
	Needs  []apiNeed `json:"needs"`
	Tiles  []apiTile `json:"tiles"`
	Errors []string  `json:"errors,omitempty"` // what could not be read
}

type apiNeed struct {
	Severity string    `json:"severity"`
	What     string    `json:"what"`
	Value    string    `json:"value,omitempty"`
	Rest     string    `json:"rest,omitempty"`
	Alert    string    `json:"alert,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

func (p *Page) apiTiles(ctx context.Context, q url.Values) (any, error) {
	v, err := p.viewOf(&http.Request{URL: &url.URL{RawQuery: q.Encode()}})
	if err != nil {
		return nil, refuse(err.Error())
	}
	s := p.drawn(ctx, v).snap
	out := apiPage{s.Now, needsOf(s.Needs), []apiTile{}, s.Errors}
	for _, t := range s.Tiles {
		tile := apiTile{t.ID, t.Kind(), t.Title, needsOf(t.Needs), t.At, t.Stale > 0 && !t.At.IsZero() && s.Now.Sub(t.At) > t.Stale, t.Sample, []string{}, wordsOf(string(t.Body))}
		for _, series := range t.Plots {
			tile.Series = append(tile.Series, series.Key())
		}
		out.Tiles = append(out.Tiles, tile)
	}
	return out, nil
}

func needsOf(needs []glance.Need) []apiNeed {
	out := []apiNeed{}
	for _, n := range needs {
		out = append(out, apiNeed{string(n.Severity), n.What, wordsOf(string(n.Value)), wordsOf(string(n.Rest)), n.Alert, n.Since})
	}
	return out
}

// markup matches a tag; words of an element that is only drawn are not text.
var markup = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

// wordsOf returns the words of markup that a template wrote.
func wordsOf(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(s, " "))), " ")
}
