package live

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/steps"
)

// offer is a function's sample/live.json: what a person needs to make it live.
type offer struct {
	About  string
	Link   string // where to get the key
	Fields []struct{ Name, Label, Hint string }
}

const (
	offerFile = "live.json"
	docs      = "https://github.com/hearth-home/hearth/blob/main/" // of a file of the repository
)

// readOffer returns the offer of a function, with a field for each variable that it lacks. A
// file that is missing or wrong is an empty offer: tests find it.
func readOffer(folder fs.FS, missing []string) (o offer) {
	if b, err := fs.ReadFile(folder, offerFile); err == nil {
		_ = json.Unmarshal(b, &o)
	}
	if len(o.Fields) == 0 {
		for _, name := range missing {
			o.Fields = append(o.Fields, struct{ Name, Label, Hint string }{Name: name, Label: name})
		}
	}
	return o
}

// lines returns a line for each source that is not live, and one for the broker.
func (m *maker) lines() (out []steps.Line) {
	for _, f := range m.Host.Functions() {
		if f.State == host.Sample || f.State == host.Unconfigured {
			out = append(out, m.line(f))
		}
	}
	if l, ok := m.brokerLine(); ok {
		out = append(out, l)
	}
	return out
}

func (m *maker) line(f host.Function) steps.Line {
	folder := os.DirFS(filepath.Join(m.Root, filepath.FromSlash(f.Folder), "sample"))
	o := readOffer(folder, f.Missing)
	out := steps.Line{
		Name: f.Name, Title: catalogue.FamilyOf(f.Name).Title, About: o.About, Link: o.Link, Docs: docs + f.Folder + "/README.md",
	}
	if f.State == host.Unconfigured {
		out.State = "lacks " + strings.Join(f.Missing, ", ")
	}
	examples := map[string]string{}
	_ = host.Overlay(examples, folder) // without samples' settings there is no example
	for _, field := range o.Fields {
		secret := slices.ContainsFunc(f.Secrets, func(s string) bool { return host.Variable(s) == field.Name })
		line := steps.Field{Name: field.Name, Label: field.Label, Hint: field.Hint, Secret: secret}
		if secret {
			line.Needed = slices.Contains(f.Missing, field.Name)
		} else {
			line.Example, line.Value = examples[field.Name], m.shown(f.Env[field.Name])
		}
		out.Fields = append(out.Fields, line)
	}
	return out
}

// shown returns a setting as the page may have it: "" if there is a secret in it.
func (m *maker) shown(v string) string {
	v = strings.TrimSpace(v)
	if m.Secrets.Redact(v) != v || strings.ContainsAny(v, "\r\n") {
		return ""
	}
	return v
}

// function returns a source by name.
func (m *maker) function(name string) (host.Function, bool) {
	all := m.Host.Functions()
	i := slices.IndexFunc(all, func(f host.Function) bool { return f.Name == name })
	if i < 0 {
		return host.Function{}, false
	}
	return all[i], true
}

// changes returns what the values change of the user's variables. A source that needs no key
// is named in LIVE.
func (m *maker) changes(f host.Function, values map[string]string) map[string]string {
	out, keyed := map[string]string{}, false
	for name, v := range values {
		secret := slices.ContainsFunc(f.Secrets, func(s string) bool { return host.Variable(s) == name })
		keyed = keyed || secret && v != ""
		if secret && v != "" || !secret && v != strings.TrimSpace(f.Env[name]) {
			out[name] = v
		}
	}
	if !keyed && len(f.Missing) == 0 {
		out[liveVariable] = strings.Join(append(host.LiveNames(m.Host.With(nil)), f.Name), ",")
	}
	return out
}

const liveVariable = "LIVE"

// nameOf returns how the page calls a source.
func nameOf(f host.Function) string { return cmp.Or(catalogue.FamilyOf(f.Name).Title, f.Name) }
