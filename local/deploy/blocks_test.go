package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
)

// block is a fenced block of a page.
type block struct {
	page, language, text string
	line                 int
}

// pages are the pages of the documentation, from the repository's root.
func pages(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md", "functions/*/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		for _, f := range found {
			name, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, filepath.ToSlash(name))
		}
	}
	return names
}

func blocks(t *testing.T, page string) (found []block) {
	t.Helper()
	var b *block
	for i, line := range strings.Split(read(t, page), "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && b == nil:
			b = &block{page: page, language: fence, line: i + 2}
		case isFence:
			found = append(found, *b)
			b = nil
		case b != nil:
			b.text += line + "\n"
		}
	}
	if b != nil {
		t.Errorf("%s:%d: the block has no end", page, b.line)
	}
	return found
}

// Every block says what it is, and is that: a new page is checked from its first day.
func TestBlocksAreWhatTheySay(t *testing.T) {
	known := settings(t)
	count := map[string]int{}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			count[b.language]++
			var err error
			switch b.language {
			case "sh", "text": // commands are run below
			case "yaml":
				err = yaml.Unmarshal([]byte(b.text), new(any))
			case "json":
				if !json.Valid([]byte(b.text)) {
					t.Errorf("%s:%d: no JSON", page, b.line)
				}
			case "dotenv":
				var vars map[string]string
				vars, err = dotenv.Parse(b.text)
				for name := range vars {
					if !known[sensorNumber.ReplaceAllString(name, "SENSOR_n_")] {
						t.Errorf("%s:%d: %s is no setting", page, b.line, name)
					}
				}
			default:
				t.Errorf("%s:%d: a block is sh, dotenv, yaml, json or text, not %q", page, b.line, b.language)
			}
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.line, err)
			}
		}
	}
	if count["sh"] < 20 || count["dotenv"] < 10 || count["yaml"] < 3 {
		t.Errorf("too few blocks were read: %v", count)
	}
}

var sensorNumber = regexp.MustCompile(`^SENSOR_\d+_`)

// settings returns every variable that something reads: those of the reference, of the
// stack file and its secrets, and SENSOR_n_… of the sensors' pages.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{"OWNER": true, "REGISTRY": true, "TAG": true, "OPENFAAS_URL": true, "basic_auth": true, "secret_mount_path": true}
	for _, page := range pages(t) {
		text := read(t, page)
		for _, m := range regexp.MustCompile("`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`").FindAllStringSubmatch(text, -1) {
			known[m[1]] = true
			if strings.HasPrefix(page, "docs/sensors/") {
				known["SENSOR_n_"+m[1]] = true
			}
		}
		for _, m := range regexp.MustCompile("`_([A-Z]+)`").FindAllStringSubmatch(text, -1) {
			known["SENSOR_n_"+m[1]] = true
		}
	}
	for _, name := range []string{"KIND", "DEVICE", "NEAR"} {
		known["SENSOR_n_"+name] = true
	}
	functions, err := stack.Read(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		for _, s := range f.Settings {
			known[s] = true
		}
		for _, s := range f.Secrets {
			known[host.Variable(s)] = true
		}
	}
	return known
}

// What the manifests set are settings that the programs read.
func TestManifestsSetWhatIsRead(t *testing.T) {
	known, n := settings(t), 0
	for _, file := range []string{"deploy/faasd/connector.yaml", "deploy/k3s/connector.yaml", "deploy/faasd/slack.yaml", "deploy/k3s/slack.yaml", "deploy/k3s/edge-daemonset.yaml", "deploy/k3s/edge-network.yaml", "deploy/edge/example.env"} {
		for _, m := range regexp.MustCompile(`(?m)^\s*(?:- |- \{?name: )?([A-Za-z_]*_[A-Za-z0-9_]*)(?:=|, value|$)`).FindAllStringSubmatch(read(t, file), -1) {
			if n++; !known[sensorNumber.ReplaceAllString(m[1], "SENSOR_n_")] {
				t.Errorf("%s sets %s, which nothing reads", file, m[1])
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d settings were checked", n)
	}
}

// secretNames are the secrets that a step may create.
func secretNames(t *testing.T) (names []string) {
	t.Helper()
	functions, err := stack.Read(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		names = append(names, f.Secrets...)
	}
	manifests, _ := filepath.Glob(filepath.Join(root, "deploy/k3s/*.yaml"))
	for _, m := range manifests {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`secret: \{name: ([a-z-]+)`).FindAllStringSubmatch(string(b), -1) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
