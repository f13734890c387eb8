package structure

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// found are names that nothing in the module's Go code uses from outside, and why
// they are exported.
var found = map[string][]string{
	"functions/":   {"Handle", "Config"}, // the templates call Handle; make docs reads Config
	"edge/":        {"Config"},           // make docs
	"shared/serve": {"Run"},              // the templates
	// A button of Slack sets them, and a backup reads everything: the suite of the
	// store holds both databases to that already.
	"shared/store":     {"SetUntil", "UntilDates", "UntilDate", "Silence", "Acknowledge", "Maintenance", "ErrFull", "Everything"},
	"shared/ingest":    {"Messages"},                                         // an alert's, in the transaction of its readings
	"shared/catalogue": {"Since", "Parts", "Suffix", "Offset", "Hysteresis"}, // a declaration sets them as it sets the rest
}

// What no other package uses is not exported: what a package offers shows in its
// capital letters. Its own tests do not count, nor a method that an interface wants,
// nor a type in the signature of what is used, nor a value of a type that is used.
func TestWhatIsExportedIsUsedElsewhere(t *testing.T) {
	e := &exported{owner: map[types.Object]*types.Named{}, used: map[token.Pos]bool{}, ifaces: map[string]*types.Interface{}}
	e.m = check(t, e.look)
	for _, s := range e.m.own {
		e.declare(e.m.plain[s.ImportPath])
		for _, p := range e.m.plain[s.ImportPath].Imports() {
			e.interfaces(p)
		}
	}
	e.signatures()
	names := e.templates()
	for _, o := range e.declared {
		member := o.Parent() == nil // a field or a method
		if e.used[o.Pos()] || e.isValue(o) || e.satisfies(o) || member && names[o.Name()] || isFound(o) {
			continue
		}
		at := e.m.set.Position(o.Pos())
		t.Errorf("%s %s:%d: no other package uses %s: do not export it", folderOf(o), filepath.Base(at.Filename), at.Line, o.Name())
	}
	if len(e.declared) < 500 {
		t.Errorf("only %d exported names: this test looks at the wrong files", len(e.declared))
	}
}

// exported are the exported names of the module, and what uses them.
type exported struct {
	m        *typed
	declared []types.Object
	owner    map[types.Object]*types.Named // of methods
	used     map[token.Pos]bool            // by another package
	usedObjs []types.Object
	ifaces   map[string]*types.Interface // of the module and what it imports, by name
}

// look notes which objects of other packages a package uses.
func (e *exported) look(s *source, info *types.Info) {
	for _, o := range info.Uses {
		e.use(s, o)
	}
	for x, tv := range info.Types {
		if i, ok := tv.Type.Underlying().(*types.Interface); ok && tv.IsType() {
			if key := types.TypeString(i, nil); e.ifaces[key] == nil { // the first is of packages without their tests
				e.ifaces[key] = i
			}
		}
		if lit, ok := x.(*ast.CompositeLit); ok {
			e.literal(s, lit, tv.Type)
		}
	}
}

// literal counts the fields as used that a literal sets without naming them.
func (e *exported) literal(s *source, lit *ast.CompositeLit, t types.Type) {
	st, ok := t.Underlying().(*types.Struct)
	if !ok || len(lit.Elts) == 0 {
		return
	}
	if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); keyed {
		return
	}
	for f := range st.Fields() {
		e.use(s, f)
	}
}

func (e *exported) use(s *source, o types.Object) {
	switch v := o.(type) {
	case *types.Var:
		o = v.Origin()
	case *types.Func:
		o = v.Origin()
	}
	if o.Exported() && o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), module+"/") && strings.TrimSuffix(o.Pkg().Path(), "_test") != s.ImportPath && !e.used[o.Pos()] {
		e.used[o.Pos()] = true
		e.usedObjs = append(e.usedObjs, o)
	}
}

// declare lists the exported names of a package: its own, and the methods and
// fields of its types.
func (e *exported) declare(p *types.Package) {
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if o.Exported() {
			e.declared = append(e.declared, o)
		}
		tn, ok := o.(*types.TypeName)
		if !ok || tn.IsAlias() {
			continue
		}
		named := tn.Type().(*types.Named)
		for i := range named.NumMethods() {
			if m := named.Method(i); m.Exported() {
				e.declared = append(e.declared, m)
				e.owner[m] = named
			}
		}
		if st, ok := named.Underlying().(*types.Struct); ok && o.Exported() && !tagged(st) {
			for i := range st.NumFields() {
				if f := st.Field(i); f.Exported() && !f.Embedded() && !isError(named) {
					e.declared = append(e.declared, f)
				}
			}
		}
	}
}

// isError reports whether the fields of a type are what an error tells.
func isError(named *types.Named) bool {
	return types.Implements(types.NewPointer(named), types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

func tagged(st *types.Struct) bool {
	for i := range st.NumFields() {
		if st.Tag(i) != "" {
			return true
		}
	}
	return false
}

func (e *exported) interfaces(p *types.Package) {
	for _, name := range p.Scope().Names() {
		if tn, ok := p.Scope().Lookup(name).(*types.TypeName); ok {
			if i, ok := tn.Type().Underlying().(*types.Interface); ok {
				e.ifaces[p.Path()+"."+name] = i
			}
		}
	}
}

// satisfies reports whether a method is one of an interface that its type has.
func (e *exported) satisfies(o types.Object) bool {
	named := e.owner[o]
	if named == nil {
		return false
	}
	if slices.Contains([]string{"Unwrap", "Is", "As", "Timeout", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "String", "Error"}, o.Name()) {
		return true
	}
	for _, i := range e.ifaces {
		for j := range i.NumMethods() {
			if i.Method(j).Name() == o.Name() && (types.Implements(named, i) || types.Implements(types.NewPointer(named), i)) {
				return true
			}
		}
	}
	return false
}

// signatures counts the types that a used object is made of as used. Of a struct
// that no encoder reads, only the embedded fields and those that are used count.
func (e *exported) signatures() {
	seen := map[types.Type]bool{}
	for i := 0; i < len(e.usedObjs); i++ { // walk adds to it
		t := e.usedObjs[i].Type()
		if _, ok := e.usedObjs[i].(*types.TypeName); !ok {
			e.walk(t, seen)
			continue
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok || tagged(st) {
			e.walk(t.Underlying(), seen)
			continue
		}
		for f := range st.Fields() {
			if f.Embedded() {
				e.walk(f.Type(), seen)
			}
		}
	}
}

// walk counts the named types in t as used.
func (e *exported) walk(t types.Type, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	named := func(o types.Object, args *types.TypeList) {
		e.use(&source{}, o)
		for arg := range args.Types() {
			e.walk(arg, seen)
		}
	}
	switch t := t.(type) {
	case *types.Alias:
		named(t.Obj(), t.TypeArgs())
		e.walk(t.Rhs(), seen)
	case *types.Named:
		named(t.Obj(), t.TypeArgs())
	case *types.Map:
		e.walk(t.Key(), seen)
		e.walk(t.Elem(), seen)
	case interface{ Elem() types.Type }:
		e.walk(t.Elem(), seen)
	case *types.Signature:
		for v := range t.Params().Variables() {
			e.walk(v.Type(), seen)
		}
		for v := range t.Results().Variables() {
			e.walk(v.Type(), seen)
		}
	case *types.Struct:
		for f := range t.Fields() {
			e.walk(f.Type(), seen)
		}
	}
}

var inTemplate = regexp.MustCompile(`\.([A-Z]\w*)`)

// templates returns the fields and methods that a template names.
func (e *exported) templates() map[string]bool {
	names := map[string]bool{}
	err := filepath.WalkDir(filepath.Join("..", "..", "shared"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".html", ".tmpl"}, filepath.Ext(path)) {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range inTemplate.FindAllSubmatch(b, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(names) == 0 {
		e.m.Fatal(fmt.Sprint(len(names), " names in templates: ", err))
	}
	return names
}

// isValue reports whether a constant is one of the values of a type that another
// package uses.
func (e *exported) isValue(o types.Object) bool {
	c, ok := o.(*types.Const)
	if !ok {
		return false
	}
	named, ok := c.Type().(*types.Named)
	return ok && named.Obj().Pkg() == o.Pkg() && e.used[named.Obj().Pos()]
}

func folderOf(o types.Object) string { return strings.TrimPrefix(o.Pkg().Path(), module+"/") }

func isFound(o types.Object) bool {
	for prefix, names := range found {
		if strings.HasPrefix(folderOf(o), prefix) && slices.Contains(names, o.Name()) {
			return true
		}
	}
	return false
}
