package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// excuse begins a comment at the end of a line that explains why the line reads the
// system's clock.
const excuse = "// clock: "

// stopwatch are the names of variables that measure a duration or hold a deadline. They
// may use the system's clock, since the day does not matter.
var stopwatch = []string{"began", "begin", "begun", "end", "deadline"}

// day matches a date of this century.
var day = regexp.MustCompile(`\b20[0-9]{2}-[01][0-9]-[0-3][0-9]`)

// excused are the folders whose tests run whole programs with the system's clock, each
// with the reason why the fixed days in their data are harmless.
var excused = map[string]string{
	"connectors/mqtt/bridge":  "messages get their time when they arrive; fixed days are only in payloads",
	"connectors/mqtt/intake":  "messages get their time when they arrive; the fixed day is in a test that passes its own time",
	"connectors/mqtt/deliver": "messages get their time when they are handed over; fixed days are only in answers",
	"edge/agent":              "the test's clock counts from a fixed day; its times are never compared with the system's clock",
	"local":                   "the platform runs with the system's clock; fixed days are only in payloads",
}

// The times in a test's data are either fixed or relative to the system's clock. A test
// that mixes both passes for a while and then fails.
func TestNoTestMixesAFixedDayWithTheSystemsClock(t *testing.T) {
	days, clocks := map[string][]string{}, map[string][]string{} // positions by folder
	each(t, "../..", func(path string, f *goFile) {
		if dir := filepath.Dir(path); strings.HasSuffix(path, "_test.go") || strings.HasSuffix(dir, "test") {
			days[dir] = append(days[dir], f.days()...)
			clocks[dir] = append(clocks[dir], f.clocks()...)
		}
	})
	mixed := map[string]bool{}
	for dir, where := range clocks {
		name := filepath.ToSlash(strings.TrimPrefix(dir, filepath.FromSlash("../../")))
		mixed[name] = len(where) > 0 && len(days[dir]) > 0
		if mixed[name] && excused[name] == "" {
			t.Errorf("%s has a fixed day at %s and reads the system's clock at:\n\t%s\nPass the time as an argument, or explain at the end of the line why it is harmless: %s…",
				dir, days[dir][0], strings.Join(where, "\n\t"), excuse)
		}
	}
	for name := range excused {
		if !mixed[name] {
			t.Errorf("%s no longer mixes fixed days with the clock: remove it from excused", name)
		}
	}
}

// Functions and shared packages get the time as an argument, or from config.Env, never
// from the system's clock.
func TestFunctionsAndSharedPackagesGetTheTimeAsAnArgument(t *testing.T) {
	for _, dir := range []string{"../../functions", "../../shared"} {
		each(t, dir, func(path string, f *goFile) {
			if where := f.clocks(); len(where) > 0 && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(filepath.Dir(path), "test") {
				t.Errorf("pass the time as an argument, or explain at the end of the line why not: %s…\n\t%s", excuse, strings.Join(where, "\n\t"))
			}
		})
	}
}

func TestFindsClockReadsAndFixedDays(t *testing.T) {
	for code, want := range map[string][2]int{ // clocks, days
		`x := time.Now()`: {1, 0},
		`f(time.Now)`:     {1, 0},
		`use(time.Since(last), time.Until(s.next))`:                {2, 0},
		`x := time.Now() // clock: a server's`:                     {0, 0},
		`began := time.Now()`:                                      {0, 0},
		`s.end = time.Now().Add(d)`:                                {0, 0},
		`for end := time.Now().Add(d); time.Now().Before(end); {}`: {0, 0},
		`ok := time.Now().After(noon)`:                             {1, 0},
		`use(time.Since(s.begun), time.Until(end))`:                {0, 0},
		`c.SetReadDeadline(time.Now().Add(d))`:                     {0, 0},
		`s := thing{begun: time.Now(), at: time.Now()}`:            {1, 0},
		`noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)`:   {0, 1},
		`at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)`:        {0, 0},
		`at := time.Unix(1795437300, 0)`:                           {0, 1},
		`at := time.Unix(0, 0)`:                                    {0, 0},
		`say("2026-11-23T12:00:00Z")`:                              {0, 1},
	} {
		f := parse(t, "x.go", "package x\nfunc f() {\n"+code+"\n}")
		if got := [2]int{len(f.clocks()), len(f.days())}; got != want {
			t.Errorf("%s: %d reads of the clock and %d fixed days, want %v", code, got[0], got[1], want)
		}
	}
}

// goFile is a parsed Go file.
type goFile struct {
	set     *token.FileSet
	file    *ast.File
	excused map[int]bool // lines with an excuse
}

// each calls look for every Go file below root.
func each(t *testing.T, root string, look func(path string, f *goFile)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || len(d.Name()) > 2 && d.Name()[0] == '.') {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			look(path, parse(t, path, nil))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, path string, text any) *goFile {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	f := &goFile{set, file, map[int]bool{}}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if why, ok := strings.CutPrefix(c.Text, excuse); ok && len(why) > 5 {
				f.excused[set.Position(c.Pos()).Line] = true
			}
		}
	}
	return f
}

// clocks returns where the file reads the system's clock, except to measure a duration or
// to set a deadline.
func (f *goFile) clocks() (where []string) {
	measures := map[ast.Expr]bool{} // reads that measure a duration or set a deadline
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) && isStopwatch(to) {
					measures[origin(n.Rhs[i])] = true
				}
			}
		case *ast.KeyValueExpr:
			if isStopwatch(n.Key) {
				measures[origin(n.Value)] = true
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 1 {
				if isStopwatch(n.Args[0]) { // time.Since(began), time.Now().After(end)
					measures[s], measures[origin(s.X)] = true, true
				} else if strings.HasPrefix(s.Sel.Name, "Set") && strings.HasSuffix(s.Sel.Name, "Deadline") {
					measures[origin(n.Args[0])] = true
				}
			}
		case *ast.SelectorExpr:
			line := f.set.Position(n.Pos())
			if reads(n) && !measures[n] && !f.excused[line.Line] {
				where = append(where, line.String())
			}
		}
		return true
	})
	return where
}

// origin returns the time.Now in an expression such as time.Now().Add(d).
func origin(e ast.Expr) ast.Expr {
	for {
		switch x := e.(type) {
		case *ast.CallExpr:
			e = x.Fun
		case *ast.SelectorExpr:
			if reads(x) {
				return x
			}
			e = x.X
		default:
			return e
		}
	}
}

// reads reports whether s reads the system's clock.
func reads(s *ast.SelectorExpr) bool {
	return isTime(s) && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name)
}

func isTime(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "time"
}

func isStopwatch(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		return slices.Contains(stopwatch, x.Name)
	case *ast.SelectorExpr:
		return slices.Contains(stopwatch, x.Sel.Name)
	}
	return false
}

// days returns where the file has a fixed day: as a date in a string, or in time.Date or
// time.Unix.
func (f *goFile) days() (where []string) {
	ast.Inspect(f.file, func(n ast.Node) bool {
		fixed := false
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && isTime(s) && len(n.Args) > 0 && (s.Sel.Name == "Date" || s.Sel.Name == "Unix") {
				first, ok := n.Args[0].(*ast.BasicLit)
				fixed = ok && len(first.Value) >= 4
			}
		case *ast.BasicLit:
			fixed = n.Kind == token.STRING && day.MatchString(n.Value) && !strings.Contains(n.Value, time.DateOnly)
		}
		if fixed {
			where = append(where, f.set.Position(n.Pos()).String())
		}
		return true
	})
	return where
}
