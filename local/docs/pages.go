package docs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/catalogue"
)

const notice = "<!-- Written by `make docs` from the Config structs, stack.yml and the catalogue; changes here are lost. -->\n"

// Page is a generated file.
type Page struct {
	Name string // path from the repository's root, with slashes
	Text []byte
}

// Pages returns docs/configuration.md, the schema of hearth.yml, README.md with its table
// of functions, and a README.md for every function of the stack files whose folder is
// there.
func Pages(root string, blocks []stack.Function) ([]Page, error) {
	var out []Page
	var there []stack.Function
	for _, f := range blocks {
		if _, err := os.Stat(filepath.Join(root, f.Folder, "handler.go")); err != nil {
			continue
		}
		there = append(there, f)
		text, err := functionPage(root, f)
		if err != nil {
			return nil, err
		}
		out = append(out, Page{f.Folder + "/README.md", text})
	}
	text, err := commonPage(root, there)
	if err != nil {
		return nil, err
	}
	switch readme, err := readmePage(root, there); {
	case err == nil:
		out = append(out, readme)
	case !errors.Is(err, fs.ErrNotExist): // a copy of the repository may have none
		return nil, err
	}
	schema, err := schemaPage(root)
	return append(out, Page{"docs/configuration.md", text}, schema), err
}

const tableBegin, tableEnd = "<!-- functions, written by `make docs` -->\n", "<!-- end of functions -->\n"

// readmePage returns README.md with a new table of the functions.
func readmePage(root string, there []stack.Function) (Page, error) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return Page{}, fmt.Errorf("read the README: %w", err)
	}
	head, rest, ok := strings.Cut(string(text), tableBegin)
	_, tail, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		return Page{}, fmt.Errorf("README.md lacks the lines %q and %q", tableBegin, tableEnd)
	}
	var b bytes.Buffer
	b.WriteString(head + tableBegin + "| function | brings |\n| --- | --- |\n")
	for _, f := range there {
		about := catalogue.FamilyOf(f.Name).About
		if about == "" { // it stores nothing: the first sentence of its comment
			p, err := load(root, f.Folder)
			if err != nil {
				return Page{}, err
			}
			about, _, _ = strings.Cut(strings.ReplaceAll(sentence(p.doc), "\n", " "), ". ")
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s |\n", f.Name, f.Folder, cell(about))
	}
	b.WriteString(tableEnd + tail)
	return Page{"README.md", b.Bytes()}, nil
}

// Write writes the pages that differ from the files below root, and returns their names.
// With check it writes nothing.
func Write(root string, pages []Page, check bool) (stale []string, err error) {
	for _, p := range pages {
		name := filepath.Join(root, filepath.FromSlash(p.Name))
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, p.Text) {
			continue
		}
		stale = append(stale, p.Name)
		if check {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return stale, err
		}
		if err := os.WriteFile(name, p.Text, 0o644); err != nil {
			return stale, err
		}
	}
	return stale, nil
}

func functionPage(root string, f stack.Function) ([]byte, error) {
	p, err := load(root, f.Folder)
	if err != nil {
		return nil, err
	}
	settings, err := p.settings("Config", "")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n# %s\n\n%s\n", notice, f.Name, sentence(p.doc))
	fmt.Fprintf(&b, "%s\n\n## Settings\n\n", trigger(f))
	for i, s := range settings {
		if v, ok := f.Env[s.Name]; ok {
			settings[i].preset = v // the stack file's value replaces the code's default
		}
	}
	table(&b, settings)
	b.WriteString("What all sources share (store, messages, timeouts) is in [docs/configuration.md](../../docs/configuration.md). In `.env`, a value with a space, `;` or another character that means something to a shell stands in single quotes.\n")
	measures(&b, f.Name)
	return b.Bytes(), nil
}

// sentence returns a function's package comment without "Package function".
func sentence(doc string) string {
	text := strings.TrimPrefix(doc, "Package function ")
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + text[n:]
}

func trigger(f stack.Function) string {
	switch {
	case f.Schedule() != "":
		return fmt.Sprintf("Runs at `%s` (annotation `schedule` in the stack file), and when called.", f.Schedule())
	case f.Topic() != "":
		return fmt.Sprintf("Runs for MQTT messages at `%s` (annotation `topic` in the stack file), and when called.", f.Topic())
	default:
		return "Runs when called."
	}
}

func table(b *bytes.Buffer, settings []setting) {
	if len(settings) == 0 {
		b.WriteString("None.\n\n")
		return
	}
	b.WriteString("| variable | default | what |\n| --- | --- | --- |\n")
	for _, s := range settings {
		about := s.About
		switch {
		case s.preset == "hearth-settings":
			about += " (with `make up` the file itself)"
		case s.secret:
			about += fmt.Sprintf(" (locally `%s` in `.env`)", host.Variable(s.preset))
		case s.kind != "text":
			about += " (" + s.kind + ")"
		}
		value := code(s.preset)
		if s.required {
			value = "**required**"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", s.Name, value, cell(about))
	}
	b.WriteString("\n")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(cell(s), "`", "'") + "`"
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

func measures(b *bytes.Buffer, function string) {
	names := catalogue.Of(function)
	if len(names) == 0 {
		return
	}
	b.WriteString("\n## Measurements\n")
	for _, name := range names {
		m, _ := catalogue.Get(name)
		fmt.Fprintf(b, "\n### %s\n\n%s", m.Name, strings.TrimSuffix(m.About, "."))
		if len(m.Labels) > 0 {
			fmt.Fprintf(b, ". Labels: `%s`", strings.Join(m.Labels, "`, `"))
		}
		if m.Day {
			b.WriteString(". A reading is of a whole day; its time is that day at 00:00 UTC, so show its date in UTC")
		}
		b.WriteString(".\n\n| field | what | unit |\n| --- | --- | --- |\n")
		for _, f := range m.Fields {
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Key, cell(what(f)), cell(f.Unit))
		}
		for _, t := range slices.Sorted(slices.Values(m.Text)) {
			fmt.Fprintf(b, "| `%s` | text | |\n", t)
		}
	}
}

// what returns a field's title with the words for its values: "Contact: 0 open, 1 closed".
func what(f catalogue.Field) string {
	var words []string
	for v, w := range f.Words {
		if w != "" {
			words = append(words, fmt.Sprintf("%d %s", v, w))
		}
	}
	if len(words) == 0 {
		return f.Title
	}
	return f.Title + ": " + strings.Join(words, ", ")
}
