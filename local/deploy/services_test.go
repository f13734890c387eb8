package deploy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// In a sandbox, `systemctl restart NAME` runs this program again, with NAME.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SANDBOX"); dir != "" {
		if err := restart(dir, os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

var programs string // the folder of what buildConnector built

// buildConnector builds the connector, once for all tests.
var buildConnector = sync.OnceValues(func() (string, error) {
	var err error
	if programs, err = os.MkdirTemp("", "hearth-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(programs, "mqtt")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/hearth-home/hearth/connectors/mqtt").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func connectorPath(t *testing.T) string {
	t.Helper()
	path, err := buildConnector()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// restart does what a service manager's restart of the service does, or kubectl. The
// services go on after this process; stopServices ends them.
func restart(dir, service string, args []string) error {
	switch service {
	case "postgresql":
		cmd := exec.Command(os.Getenv("PSQL"), "-Atc", "SELECT pg_reload_conf()")
		cmd.Env = append(os.Environ(), "PGHOST="+os.Getenv("PG_HOST"), "PGPORT="+os.Getenv("PG_PORT"), "PGUSER=postgres", "PGDATABASE=postgres")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	case "mosquitto":
		return mosquitto(dir)
	case "faasd":
		return faasd(dir)
	case "hearth-edge": // without sensors; its program is there
		_, err := os.Stat(filepath.Join(dir, "root/usr/local/bin/hearth-edge"))
		return err
	case "kubectl":
		return kubectl(dir, args)
	}
	return errors.New("no such service")
}

// mosquitto starts the broker with the configuration that the page has installed, on the
// sandbox's port.
func mosquitto(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "root/etc/mosquitto/mosquitto.conf"))
	if err != nil {
		return err
	}
	port := os.Getenv("MQTT_PORT")
	conf := strings.NewReplacer("listener 1883", "listener "+port+" 127.0.0.1", "sys_interval 10", "sys_interval 1").Replace(string(b))
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf+"user root\n"), 0o600); err != nil {
		return err
	}
	if err := start(dir, nil, os.Getenv("MOSQUITTO"), "-c", file); err != nil {
		return err
	}
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			return c.Close()
		}
	}
	return errors.New("does not listen")
}

// compose is what faasd reads of docker-compose.yaml.
type compose struct {
	Version  string
	Services map[string]struct {
		Image, User string
		Command     []string
		Environment []string
		Volumes     []struct{ Type, Source, Target string }
		CapAdd      []string `yaml:"cap_add"`
		DependsOn   []string `yaml:"depends_on"`
		Ports       []string
	}
}

// faasd reads docker-compose.yaml as `faasd up` does, which ends if a mounted file is
// missing, and starts the connector if it is there.
func faasd(dir string) error {
	home := filepath.Join(dir, "root/var/lib/faasd")
	b, err := os.ReadFile(filepath.Join(home, "docker-compose.yaml"))
	if err != nil {
		return err
	}
	var c compose
	if err := yaml.Load(b, &c, yaml.WithKnownFields()); err != nil {
		return err
	}
	mounted := map[string]string{} // target -> source, of the connector
	for name, s := range c.Services {
		for _, d := range s.DependsOn {
			if _, ok := c.Services[d]; !ok {
				return fmt.Errorf("%s depends on %s, which is not there", name, d)
			}
		}
		for _, v := range s.Volumes {
			source := filepath.Join(home, v.Source)
			if _, err := os.Stat(source); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if name == "hearth-connector" {
				mounted[v.Target] = source
			}
		}
	}
	connector, ok := c.Services["hearth-connector"]
	if !ok {
		return nil
	}
	return startConnector(dir, mounted["/var/lib/hearth/connector"], filepath.Dir(mounted["/run/secrets/mqtt-password"]), connector.Environment)
}

// startConnector starts the connector with a container's environment, in which the
// container's paths and addresses are replaced by those of the sandbox.
func startConnector(dir, data, secrets string, environment []string) error {
	env := []string{"LISTEN=127.0.0.1:0", "CANARY_INTERVAL=200ms", "REBUILD_INTERVAL=50ms", "DATA_DIR=" + data}
	broker := "127.0.0.1:" + os.Getenv("MQTT_PORT")
	r := strings.NewReplacer("10.62.0.1:1883", broker, "mosquitto.mqtt:1883", broker, "http://gateway:8080", os.Getenv("GATEWAY"), "http://gateway.openfaas:8080", os.Getenv("GATEWAY"),
		"/run/secrets", secrets, "/var/secrets", secrets)
	for _, kv := range environment {
		env = append(env, r.Replace(kv))
	}
	return start(dir, env, os.Getenv("CONNECTOR"))
}

// start starts a process that goes on, with its output in the sandbox.
func start(dir string, env []string, path string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(dir, filepath.Base(path)+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	pids, err := os.OpenFile(filepath.Join(dir, "pids"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer pids.Close()
	_, err = fmt.Fprintln(pids, cmd.Process.Pid)
	return err
}

// stopServices ends what was started in a sandbox.
func (s *sandbox) stopServices(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "pids"))
	if err != nil {
		return // none
	}
	for field := range strings.FieldsSeq(string(b)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if t.Failed() {
		logs, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
		for _, name := range logs {
			b, _ := os.ReadFile(name)
			t.Logf("%s\n%s", name, b)
		}
	}
}
