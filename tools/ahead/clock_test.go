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

// said explains, at the end of a line, why it reads the machine's clock.
const said = "// clock: "

// stopwatch are the names of what measures how long something takes, or when
// it has taken too long: the day does not matter to it.
var stopwatch = []string{"began", "begin", "begun", "end", "deadline"}

// day is a day of our time.
var day = regexp.MustCompile(`\b20[0-9]{2}-[01][0-9]-[0-3][0-9]`)

// excused are the folders whose tests run whole programs, which have the machine's
// clock, and why the days in their data do no harm.
var excused = map[string]string{
	"connectors/mqtt/bridge":  "messages are stamped when they arrive; a day is a payload's alone",
	"connectors/mqtt/intake":  "messages are stamped when they arrive; the fixed day is that of a test which is given the moment",
	"connectors/mqtt/deliver": "messages are stamped when they are given; a day is an answer's alone",
	"edge/agent":              "a clock of the test's counts from a fixed day by a stopwatch, and no time of one is compared with the other's",
	"local":                   "the platform runs; a day is a payload's alone",
}

// A test's data are of a fixed day, or they are relative to the machine's clock:
// a package that mixes both passes for a while and then no longer does.
func TestNoTestMixesAFixedDayWithTheMachinesClock(t *testing.T) {
	days, clocks := map[string][]string{}, map[string][]string{} // by folder: where
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
			t.Errorf("%s has data of a fixed day, as at %s, and reads the machine's clock:\n\t%s\nTake the moment as an argument, or say why it does no harm: %s…",
				dir, days[dir][0], strings.Join(where, "\n\t"), said)
		}
	}
	for name := range excused {
		if !mixed[name] {
			t.Errorf("%s mixes nothing: it needs no excuse", name)
		}
	}
}

// What functions and shared packages answer depends on the moment that they
// are given: config.Env has the clock.
func TestFunctionsAndSharedPackagesAreGivenTheTime(t *testing.T) {
	for _, dir := range []string{"../../functions", "../../shared"} {
		each(t, dir, func(path string, f *goFile) {
			if where := f.clocks(); len(where) > 0 && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(filepath.Dir(path), "test") {
				t.Errorf("take the moment as an argument, or say why not: %s…\n\t%s", said, strings.Join(where, "\n\t"))
			}
		})
	}
}

func TestWhatReadsAClockAndWhatIsADay(t *testing.T) {
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
			t.Errorf("%s: %d times the clock and %d days, want %v", code, got[0], got[1], want)
		}
	}
}

// goFile is a parsed file.
type goFile struct {
	set  *token.FileSet
	file *ast.File
	says map[int]bool // lines that explain themselves
}

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
			if why, ok := strings.CutPrefix(c.Text, said); ok && len(why) > 5 {
				f.says[set.Position(c.Pos()).Line] = true
			}
		}
	}
	return f
}

// clocks returns where the machine's clock is read for another reason than to
// measure how long something takes.
func (f *goFile) clocks() (where []string) {
	measures := map[ast.Expr]bool{} // readings that do
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
			if reads(n) && !measures[n] && !f.says[line.Line] {
				where = append(where, line.String())
			}
		}
		return true
	})
	return where
}

// origin follows time.Now().Add(d) to its time.Now.
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

// days returns where a day of our time is written down.
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
