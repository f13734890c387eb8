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

// allowed are exported names that no other package of the module uses, and why they are
// exported, by the beginning of their package's path.
var allowed = map[string][]string{
	"functions/":   {"Handle", "Config"}, // the templates call Handle; make docs reads Config
	"edge/":        {"Config"},           // make docs
	"shared/serve": {"Run"},              // the templates
	// For buttons in Slack and for backups, which are planned. The store's test suite
	// checks them for both databases already.
	"shared/store":       {"SetUntil", "UntilDates", "UntilDate", "Silence", "Maintenance", "ErrFull", "Everything"},
	"shared/ingest":      {"Messages"},                                                  // an alert's, in the transaction of its readings
	"shared/page/glance": {"Foot", "Sun", "Up", "Verdict"},                              // types of fields that the page's markup reads
	"shared/catalogue":   {"Since", "Parts", "Order", "Suffix", "Offset", "Hysteresis"}, // a declaration sets them as it sets the rest
}

// TestExportedNamesAreUsedElsewhere: a package exports only what another package uses, so
// that its exported names are what it offers. Use in the package's own tests does not
// count. These need no user: a method that an interface requires, a type in the signature
// of a used name, and a constant of a used type.
func TestExportedNamesAreUsedElsewhere(t *testing.T) {
	e := &exported{owner: map[types.Object]*types.Named{}, used: map[token.Pos]bool{}, ifaces: map[string]*types.Interface{}}
	e.m = check(t, e.addUses)
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
		if e.used[o.Pos()] || e.isValue(o) || e.satisfies(o) || member && names[o.Name()] || isAllowed(o) {
			continue
		}
		at := e.m.set.Position(o.Pos())
		t.Errorf("%s %s:%d: no other package uses %s: do not export it", folderOf(o), filepath.Base(at.Filename), at.Line, o.Name())
	}
	if len(e.declared) < 500 {
		t.Errorf("only %d exported names: this test looks at the wrong files", len(e.declared))
	}
}

// exported holds the exported names of the module, and which of them are used.
type exported struct {
	m        *typed
	declared []types.Object
	owner    map[types.Object]*types.Named // of methods
	used     map[token.Pos]bool            // by another package
	usedObjs []types.Object
	ifaces   map[string]*types.Interface // of the module and what it imports, by name
}

// addUses records which objects of other packages a package uses.
func (e *exported) addUses(s *listed, info *types.Info) {
	for _, o := range info.Uses {
		e.use(s, o)
	}
	for x, tv := range info.Types {
		if i, ok := tv.Type.Underlying().(*types.Interface); ok && tv.IsType() {
			if key := types.TypeString(i, nil); e.ifaces[key] == nil { // keep the first: it comes from the packages without tests
				e.ifaces[key] = i
			}
		}
		if lit, ok := x.(*ast.CompositeLit); ok {
			e.literal(s, lit, tv.Type)
		}
	}
}

// literal marks as used the fields that an unkeyed composite literal sets.
func (e *exported) literal(s *listed, lit *ast.CompositeLit, t types.Type) {
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

func (e *exported) use(s *listed, o types.Object) {
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

// declare adds the exported names of a package to e.declared: those of its scope, and the
// methods and fields of its types.
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

// isError reports whether a type is an error: its fields may be exported unused.
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

// satisfies reports whether a method belongs to an interface that its type implements.
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

// signatures marks as used all types in the type of a used object. In a struct without
// tags, which no encoder reads, only embedded fields and used fields count.
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

// walk marks the named types in t as used.
func (e *exported) walk(t types.Type, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	named := func(o types.Object, args *types.TypeList) {
		e.use(&listed{}, o)
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

// templates returns the names of the fields and methods that a template uses.
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

func isAllowed(o types.Object) bool {
	for prefix, names := range allowed {
		if strings.HasPrefix(folderOf(o), prefix) && slices.Contains(names, o.Name()) {
			return true
		}
	}
	return false
}
