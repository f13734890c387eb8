package deploy

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// password stands for each … in a page. With its line end it has 16 bytes, so that a
// program that reads its input in blocks leaves whole lines to the next one.
const password = "secret-of-house"

// sandbox is where a page's commands run: in bash, with a copy of the repository, a home on
// the Pi, and a PATH on which there is nothing but real programs that change only files,
// and scripts for the others. A command that is on neither list fails, and so its page.
type sandbox struct {
	dir     string // repo, pi, bin, root (for /etc and the like), log
	env     []string
	replace []string // in the pages' text
	bucket  string   // in InfluxDB
}

// Programs that run as they are.
var realPrograms = []string{"cat", "sed", "grep", "tee", "touch", "chmod", "mkdir", "cp", "env", "ls", "base64", "head", "sleep", "sh", "bash", "openssl", "seq",
	"mosquitto_passwd", "dirname", "basename", "xargs", "rm", "cut", "mktemp"}

// Programs of other machines, and of a cluster. Each writes its arguments to the log. What
// is behind a name is done, too.
var recorded = map[string]string{
	"apt-get": "", "ctr": "", "curl": "", "docker": "", "git": "", "go": "", "hearth": "", "hearth-edge": "", "helm": "", "influx": "",
	"journalctl": "", "raspi-config": "", "sudoedit": "", "chown": "", ".bin/hearth": "", "brew": "",
	"kubectl":  `case "$*" in *basic-auth*) echo cGFzc3dvcmQ=;; *"get deploy"*) echo deployment/weather;; *) [ -z "$MQTT_PORT" ] || exec "$HELPER" kubectl "$@";; esac; case "$*" in *"-f -") cat >/dev/null;; esac`,
	"faas-cli": `case "$*" in *stdin*) cat >/dev/null;; esac`,
	"ssh":      `case "$1" in -*) exit 0;; esac; shift; cd "$SANDBOX/pi" && exec sh -c "$*"`,
	"make":     `case "$1" in edge) mkdir -p .bin/edge && touch .bin/edge/hearth-edge-linux-{arm64,arm,amd64};; migrate) for v in DATABASE_URL ${INFLUX_ADMIN_TOKEN:+INFLUX_URL INFLUX_ADMIN_TOKEN}; do printf %s "${!v}" >"$SANDBOX/$v"; done;; esac`,
	"scp":      `while [ $# -gt 1 ]; do cp "$1" "$SANDBOX/pi/"; shift; done`,
	// As root of the sandbox, or as the superuser of its PostgreSQL.
	"sudo": `if [ "$1" = -u ]; then shift 2; export PGHOST="$PG_HOST" PGPORT="$PG_PORT" PGUSER=postgres PGDATABASE=postgres; fi; exec env "$@"`,
	// Without owners, which need root. /dev/stdin is the next line of the input.
	"install":       `a=; for x; do case "$skip$x" in -o|-g) skip=drop;; drop*) skip=;; /dev/stdin) IFS= read -r line; printf '%s\n' "$line" >"$SANDBOX/line"; a="$a $SANDBOX/line";; *) a="$a $x";; esac; done; exec "$INSTALL" $a`,
	"hostname":      `echo pi-office`,
	"psql":          `exec "$PSQL" "$@"`,
	"createuser":    `exec "$CREATEUSER" "$@"`,
	"createdb":      `exec "$CREATEDB" "$@"`,
	"mosquitto_pub": `[ -z "$MQTT_PORT" ] || exec "$MOSQUITTO_PUB" -p "$MQTT_PORT" "$@"`,
	"mosquitto_sub": `[ -z "$MQTT_PORT" ] || exec "$MOSQUITTO_SUB" -p "$MQTT_PORT" "$@"`,
	"systemctl":     `case "$*" in restart*) exec "$HELPER" "$2";; esac`,
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := &sandbox{dir: t.TempDir()}
	for _, d := range []string{"bin", "pi", "repo", "repo/.bin", "root/etc/mosquitto", "root/etc/systemd/system", "root/etc/credstore", "root/usr/local/bin", "root/var/lib/mosquitto", "root/var/lib/faasd/secrets"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"deploy", "docs", "edge", "connectors", "functions", "template", "stack.yml", "Makefile", "hearth.example.yml"} {
		abs, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(abs, filepath.Join(s.dir, "repo", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range realPrograms {
		path := tool.Needed(t, "apt-get install coreutils findutils openssl mosquitto", name)
		if err := os.Symlink(path, filepath.Join(s.dir, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, then := range recorded {
		file := filepath.Join(s.dir, "bin", name)
		if strings.Contains(name, "/") {
			file = filepath.Join(s.dir, "repo", name)
		}
		script := fmt.Sprintf("#!/bin/bash\n{ printf '%%s\\037' %s \"$@\"; printf '\\036'; } >>\"$SANDBOX/log\"\n%s\n", name, then)
		if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.env = []string{"PATH=" + filepath.Join(s.dir, "bin"), "HOME=" + filepath.Join(s.dir, "pi"), "SANDBOX=" + s.dir, "HELPER=" + self, "LC_ALL=C.UTF-8"}
	for name, program := range map[string]string{"INSTALL": "install", "PSQL": "psql", "CREATEUSER": "createuser", "CREATEDB": "createdb"} {
		s.env = append(s.env, name+"="+tool.Needed(t, "apt-get install postgresql-client", program))
	}
	for name, program := range map[string]string{"MOSQUITTO_PUB": "mosquitto_pub", "MOSQUITTO_SUB": "mosquitto_sub"} {
		s.env = append(s.env, name+"="+tool.Needed(t, "apt-get install mosquitto-clients", program))
	}
	in := func(path string) string { return filepath.Join(s.dir, "root") + path }
	s.replace = []string{"…", password, " /etc/", " " + in("/etc/"), "|/etc/", "|" + in("/etc/"), "=/etc/", "=" + in("/etc/"), "/var/lib/", in("/var/lib/"), "/usr/local/bin/", in("/usr/local/bin/")}
	return s
}

// broker chooses the port of the Mosquitto that a page sets up. Without it the commands
// that use a broker are only recorded.
func (s *sandbox) broker(t *testing.T) (addr string) {
	t.Helper()
	addr, err := free.Find()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	s.env = append(s.env, "MQTT_PORT="+port, "MOSQUITTO="+tool.Needed(t, "apt-get install mosquitto", "mosquitto", "/usr/sbin/mosquitto"))
	s.replace = append(s.replace, "-h 10.62.0.1", "-h "+host)
	return addr
}

// run runs a page's blocks of commands, in order, in one shell. A first line "# on the Pi"
// says where. err is the first command that failed.
func (s *sandbox) run(t *testing.T, found []block) (err error) {
	t.Helper()
	var script strings.Builder
	for _, b := range found {
		if b.language != "sh" {
			continue
		}
		place := "repo"
		if strings.HasPrefix(b.text, "# on the Pi\n") {
			place = "pi"
		}
		fmt.Fprintf(&script, "cd %s\nblock=%s:%d\n%s\nwait\n", filepath.Join(s.dir, place), b.page, b.line, b.text)
	}
	write(t, s.dir, "script", strings.NewReplacer(s.replace...).Replace(script.String()))
	write(t, s.dir, "input", strings.Repeat(password+"\n", 4096))
	input, err := os.Open(filepath.Join(s.dir, "input"))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	cmd := exec.Command("bash", "-c", `command_not_found_handle() { echo "$1" >>"$SANDBOX/unknown"; return 127; }; set -eEo pipefail; trap 'echo "failed in the block $block: $BASH_COMMAND"' ERR; . "$SANDBOX/script"`)
	cmd.Env, cmd.Stdin = s.env, input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal: passwords are read from the input
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		unknown, _ := os.ReadFile(filepath.Join(s.dir, "unknown"))
		return fmt.Errorf("%w\n%s\n%s", err, unknown, out.String())
	}
	if unknown, err := os.ReadFile(filepath.Join(s.dir, "unknown")); err == nil { // in $(…), where bash goes on
		return fmt.Errorf("unknown commands: %s", unknown)
	}
	return nil
}

// calls returns the recorded commands.
func (s *sandbox) calls(t *testing.T) (calls [][]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for call := range strings.SplitSeq(strings.TrimSuffix(string(b), "\x1e"), "\x1e") {
		calls = append(calls, strings.Split(strings.TrimSuffix(call, "\x1f"), "\x1f"))
	}
	return calls
}
