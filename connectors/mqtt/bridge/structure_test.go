package bridge

import (
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is which package of the connector imports which, as the package comments
// say.
var rooms = map[string][]string{
	"message":    nil,
	"intake":     {"message"},
	"deadletter": {"message"},
	"deliver":    {"deadletter", "message"},
	"bridge":     {"deadletter", "deliver", "intake", "message"},
	"deadcmd":    {"deadletter"},
	"mqtttest":   nil,
}

func TestTheRoomsImportEachOtherDownward(t *testing.T) {
	const own = "github.com/hearth-home/hearth/"
	dirs, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]bool{}
	for _, file := range dirs {
		room := filepath.Base(filepath.Dir(file))
		if got[room] == nil {
			got[room] = map[string]bool{}
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			rest, ours := strings.CutPrefix(path, own)
			switch name, inside := strings.CutPrefix(rest, "connectors/mqtt/"); {
			case inside:
				got[room][name] = true
			case ours && !strings.HasPrefix(rest, "shared/"):
				t.Errorf("%s imports %s", file, rest)
			}
		}
	}
	for room, imports := range got {
		want, known := rooms[room]
		if have := slices.Sorted(maps.Keys(imports)); !known || !slices.Equal(have, want) {
			t.Errorf("%s imports %v, want %v", room, have, want)
		}
	}
	if len(got) != len(rooms) {
		t.Errorf("%d packages, want %d", len(got), len(rooms))
	}
}
