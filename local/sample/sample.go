// Package sample serves example answers in place of upstreams for which the user has no
// key yet. The answers are templates in each function's folder sample/. It serves
// https://host/path of a function's settings at /<function>/host/path.
package sample

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// types are the content types of answers, by the extension before .tmpl.
var types = []struct{ ext, contentType string }{
	{"json", "application/json"},
	{"xml", "application/xml"},
	{"html", "text/html; charset=utf-8"},
	{"csv", "text/csv"},
	{"txt", "text/plain; charset=utf-8"},
}

// anySegment is the name of a folder or file that stands for any one segment of a path
// (a year, an id): sample/host/rates/_/all.csv.tmpl.
const anySegment = "_"

// Server answers in place of the upstreams of all functions.
type Server struct {
	functions map[string]fs.FS // by name: the folder sample/
	now       func() time.Time
}

// New returns a server of the functions' folders sample/, by name of the function.
func New(functions map[string]fs.FS, now func() time.Time) *Server { return &Server{functions, now} }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	folder, ok := s.functions[segments[0]]
	if !ok || len(segments) < 2 {
		http.Error(w, "no samples: "+r.URL.Path, http.StatusNotFound)
		return
	}
	host, rest := segments[1], segments[2:]
	if len(rest) == 0 {
		rest = []string{"index"}
	}
	file, contentType, ok := find(folder, host, rest)
	if !ok {
		http.Error(w, fmt.Sprintf("no sample: write sample/%s/%s.json.tmpl (or %s)", host, strings.Join(rest, "/"), extensions()), http.StatusNotFound)
		return
	}
	b, err := render(folder, file, s.now(), r, rest)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Write(b)
}

func extensions() string {
	var names []string
	for _, t := range types[1:] {
		names = append(names, t.ext)
	}
	return strings.Join(names, ", ")
}

// find returns the template for a path below dir, and its content type. A file or folder
// with the segment's own name is tried before anySegment.
func find(folder fs.FS, dir string, segments []string) (file, contentType string, ok bool) {
	for _, name := range []string{segments[0], anySegment} {
		at := path.Join(dir, name)
		if name == "." || name == ".." || !fs.ValidPath(at) {
			continue
		}
		if len(segments) > 1 {
			if info, err := fs.Stat(folder, at); err != nil || !info.IsDir() {
				continue
			}
			if file, contentType, ok = find(folder, at, segments[1:]); ok {
				return file, contentType, true
			}
			continue
		}
		for _, t := range types {
			for _, file := range []string{at + "." + t.ext + ".tmpl", at + ".tmpl"} {
				if path.Ext(strings.TrimSuffix(file, ".tmpl")) == "."+t.ext && isFile(folder, file) {
					return file, t.contentType, true
				}
			}
		}
	}
	return "", "", false
}

func isFile(folder fs.FS, name string) bool {
	info, err := fs.Stat(folder, name)
	return err == nil && info.Mode().IsRegular()
}

// render executes a template. It reads the file at each call, so that a change shows at
// the next run.
func render(folder fs.FS, file string, now time.Time, r *http.Request, segments []string) ([]byte, error) {
	text, err := fs.ReadFile(folder, file)
	if err != nil {
		return nil, err
	}
	t, err := template.New(file).Option("missingkey=error").Funcs(functions(now, r.URL.Query(), segments)).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, nil)
	return b.Bytes(), err
}

var address = regexp.MustCompile(`https?://([^/\s,;|"'<>]+)`)

// Redirect replaces every http(s)://host in a setting by the address of that host at the
// sample server.
func Redirect(setting, server, function string) string {
	return address.ReplaceAllStringFunc(setting, func(found string) string {
		return Base(server, function) + address.FindStringSubmatch(found)[1]
	})
}

// Base returns the prefix that Redirect puts in place of https://.
func Base(server, function string) string { return server + "/" + function + "/" }
