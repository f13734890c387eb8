// Package docs generates the pages that are made from the code: the references of settings
// and commands, the functions' READMEs, and the schema of hearth.yml.
package docs

//go:generate go run github.com/hearth-home/hearth/cmd/hearth docs

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

const module = "github.com/hearth-home/hearth/"

// setting is one variable that a Config struct reads.
type setting struct {
	Name, preset, kind, About string
	required, secret          bool
}

// pkg is the parsed package of a folder.
type pkg struct {
	root, dir string
	doc       string
	types     map[string]*ast.StructType
	docs      map[string]string                     // their comments
	imports   map[*ast.StructType]map[string]string // name in the file -> import path
}

func load(root, dir string) (*pkg, error) {
	p := &pkg{root: root, dir: dir, types: map[string]*ast.StructType{}, docs: map[string]string{}, imports: map[*ast.StructType]map[string]string{}}
	files := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if f.Doc != nil {
			p.doc = f.Doc.Text()
		}
		p.add(f)
	}
	return p, nil
}

func (p *pkg) add(f *ast.File) {
	imports := map[string]string{}
	for _, i := range f.Imports {
		at, _ := strconv.Unquote(i.Path.Value) // the parser saw it as a string
		name := path.Base(at)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = at
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				if s, ok := t.Type.(*ast.StructType); ok {
					p.types[t.Name.Name] = s
					p.docs[t.Name.Name] = g.Doc.Text()
					p.imports[s] = imports
				}
			}
		}
	}
}

// settings returns the variables that a struct reads, with those of nested structs. A field
// without a comment is an error, because the comment is the page's text.
func (p *pkg) settings(name, prefix string) ([]setting, error) {
	s, ok := p.types[name]
	if !ok {
		return nil, fmt.Errorf("%s has no struct %s", p.dir, name)
	}
	var out []setting
	var errs []error
	for _, f := range s.Fields.List {
		more, err := p.field(s, f, prefix)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", p.dir, name, err))
		}
		out = append(out, more...)
	}
	return out, errors.Join(errs...)
}

func (p *pkg) field(s *ast.StructType, f *ast.Field, prefix string) ([]setting, error) {
	var tag reflect.StructTag
	if f.Tag != nil {
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		tag = reflect.StructTag(text)
	}
	key, options, _ := strings.Cut(tag.Get("env"), ",")
	kind := kindOf(f.Type)
	if key == "" {
		return p.nested(s, f.Type, prefix+tag.Get("envPrefix"))
	}
	about := strings.TrimSpace(f.Comment.Text())
	if about == "" {
		about = strings.TrimSpace(f.Doc.Text())
	}
	out := setting{Name: prefix + key, preset: tag.Get("envDefault"), kind: kind, About: strings.Join(strings.Fields(about), " "),
		required: strings.Contains(options, "required") || strings.Contains(options, "notEmpty"), secret: kind == secretKind}
	if about == "" {
		return []setting{out}, fmt.Errorf("%s has no comment", out.Name)
	}
	return []setting{out}, nil
}

// nested returns the variables of a field whose type is a struct of this module.
func (p *pkg) nested(s *ast.StructType, t ast.Expr, prefix string) ([]setting, error) {
	switch t := t.(type) {
	case *ast.Ident:
		if _, ok := p.types[t.Name]; ok {
			return p.settings(t.Name, prefix)
		}
	case *ast.StarExpr:
		return p.nested(s, t.X, prefix)
	case *ast.SelectorExpr:
		name, ok := t.X.(*ast.Ident)
		if !ok {
			return nil, nil
		}
		if dir, ok := strings.CutPrefix(p.imports[s][name.Name], module); ok {
			other, err := load(p.root, dir)
			if err != nil {
				return nil, err
			}
			return other.settings(t.Sel.Name, prefix)
		}
	}
	return nil, nil
}

const secretKind = "secret's name"

// kindOf returns a readable name of a type.
func kindOf(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		switch t.Name {
		case "string":
			return "text"
		case "bool":
			return "true or false"
		case "float64", "float32":
			return "number"
		}
		if strings.HasPrefix(t.Name, "int") || strings.HasPrefix(t.Name, "uint") {
			return "whole number"
		}
		return t.Name
	case *ast.StarExpr:
		return kindOf(t.X)
	case *ast.ArrayType:
		return "list of " + kindOf(t.Elt)
	case *ast.SelectorExpr:
		x, _ := t.X.(*ast.Ident)
		switch fmt.Sprintf("%s.%s", x, t.Sel.Name) {
		case "secret.String":
			return secretKind
		case "time.Duration":
			return "duration"
		case "url.URL":
			return "address"
		case "config.List":
			return "list, separated by commas"
		case "config.Entries", "place.List":
			return "list, separated by semicolons"
		}
		return strings.ToLower(t.Sel.Name)
	}
	return "text"
}
