package local

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/connectors/mqtt/bridge"
	"github.com/hearth-home/hearth/connectors/slack/relay"
	"github.com/hearth-home/hearth/edge/agent"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
)

// ownNames are the variables that only the platform on this machine reads.
var ownNames = []string{"PORT", "MQTT_PORT", "HEARTH_DIR", "LIVE", "EDGE", "SEND", "LOG_FORMAT", "NO_COLOR", host.AuthorityFile, adminVariable, "OWNER", "REGISTRY", "TAG", "PLATFORMS", "OPENFAAS_URL",
	"EDGE_CONFIG_DIR", "GOMAXPROCS", "TZ"}

var (
	stackVariable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)`)
	sensorSetting = regexp.MustCompile(`^SENSOR_\d{1,3}_[A-Z]`) // of the edge agent
	assignment    = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=`)
	harmless      = regexp.MustCompile(`^[A-Za-z_]{1,40}$`) // no key: those have digits
)

// knownNames returns the names of all settings: those of the stack files, of the programs'
// Config structs and of the platform. A secret has the variable for .env, too.
func (h *Installation) knownNames() (names []string) {
	names = slices.Clone(ownNames)
	for _, file := range stack.Files {
		b, _ := os.ReadFile(filepath.Join(h.root, file)) // who needs it reports the error
		for _, m := range stackVariable.FindAllSubmatch(b, -1) {
			names = append(names, string(m[1]))
		}
	}
	fs, _ := stack.Read(h.root, nil)
	for _, f := range fs {
		names = append(names, f.Settings...)
		for _, s := range f.Secrets {
			names = append(names, host.Variable(s), host.Variable(s)+"_SECRET")
		}
	}
	for _, t := range []reflect.Type{reflect.TypeFor[bridge.Config](), reflect.TypeFor[relay.Config](), reflect.TypeFor[agent.Config](), reflect.TypeFor[store.Config](), reflect.TypeFor[source.Config](), reflect.TypeFor[serve.Config]()} {
		for _, name := range config.Names(t) {
			names = append(names, name, strings.TrimSuffix(name, "_SECRET"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// logMistypedNames logs each variable of .env whose name is near that of a setting, and of
// the environment's, which has other programs' too, those with a typing mistake. One line
// names the other unknown variables of .env. It also logs values that mean nothing.
func (h *Installation) logMistypedNames(log *slog.Logger) {
	known := h.knownNames()
	var strange []string
	lines := h.dotenvLines()
	for _, name := range slices.Sorted(maps.Keys(h.vars)) {
		at, inFile := lines[name]
		if slices.Contains(known, name) || sensorSetting.MatchString(name) {
			continue
		}
		switch meant := nearest.Typo(name, known); {
		case inFile && nearName(name, known) != "":
			log.Warn(fmt.Sprintf(".env, line %d: %s is no setting: did you mean %s?", at, name, nearName(name, known)))
		case inFile && harmless.MatchString(name):
			strange = append(strange, fmt.Sprintf("%s (line %d)", name, at))
		case inFile:
			strange = append(strange, fmt.Sprintf("line %d", at)) // the name may be a key that stands alone
		case meant != "" && strings.Contains(name, "_"): // a single word, such as PLATFORM, may be any program's
			log.Warn(fmt.Sprintf("the environment has %s, which is no setting: did you mean %s?", name, meant))
		}
	}
	if len(strange) > 0 {
		log.Info(".env has what is no setting of hearth: " + strings.Join(strange, ", "))
	}
	for _, w := range h.oddValues() {
		log.Warn(w)
	}
}

// dotenvLines returns the line of each variable in .env.
func (h *Installation) dotenvLines() map[string]int {
	lines := map[string]int{}
	b, _ := os.ReadFile(filepath.Join(h.root, dotenvName)) // Open has read it
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if m := assignment.FindStringSubmatch(line); m != nil {
			lines[m[1]] = n
		}
	}
	return lines
}

// oddValues names values of settings that mean nothing, and what to write.
func (h *Installation) oddValues() (found []string) {
	if v := h.vars["EDGE"]; v != "" && v != "off" {
		found = append(found, fmt.Sprintf("EDGE is %q: write off to have no simulated sensors, or remove it", v))
	}
	if v := h.vars["SEND"]; v != "" && v != "1" {
		found = append(found, fmt.Sprintf("SEND is %q: write 1 to send messages from here, or remove it", v))
	}
	if v := h.vars["LOG_FORMAT"]; v != "" && v != "json" {
		found = append(found, fmt.Sprintf("LOG_FORMAT is %q: write json, or remove it", v))
	}
	if _, err := slack.ParseWebhooks(h.vars["SLACK_WEBHOOKS"]); err != nil {
		found = append(found, "SLACK_WEBHOOKS: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	for _, name := range []string{"SLACK_URL", "INFLUX_URL", "NTFY_URL", "ALERT_WEBHOOK", "PAGE_URL"} { // they may hold a key
		if v := h.vars[name]; v != "" {
			if _, err := config.URL(v); err != nil {
				found = append(found, name+" "+err.Error())
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.vars)) {
		if v := h.vars[name]; strings.HasSuffix(name, "_TOPICS") && strings.ContainsAny(strings.TrimSpace(v), "; \t") {
			found = append(found, fmt.Sprintf("%s is %q: write MQTT filters with commas between them", name, v))
		}
	}
	return append(found, h.oddLive()...)
}

// oddLive names elements of LIVE that are no functions.
func (h *Installation) oddLive() (found []string) {
	fs, _ := stack.Read(h.root, h.vars)
	names := []string{"all"}
	for _, f := range fs {
		names = append(names, f.Name)
	}
	for _, word := range host.LiveNames(h.vars) {
		if slices.Contains(names, word) {
			continue
		}
		if meant := nearest.Of(word, names); meant != "" {
			found = append(found, fmt.Sprintf("LIVE has %q, which is no function: did you mean %s?", word, meant))
		} else {
			found = append(found, fmt.Sprintf("LIVE has %q, which is no function: write all, or names of %s", word, strings.Join(names[1:], ", ")))
		}
	}
	return found
}
